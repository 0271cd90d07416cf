"""What runs the desk on one machine and is not deployed to Lambda: command line, server, worker."""
