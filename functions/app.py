"""Every route of the desk, a few lines each: HTTP and nothing else."""
