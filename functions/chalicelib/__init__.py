"""The desk's domain and its adapters, in plain standard-library Python. It must not know the bindery."""
