"""The bindery: facts and looks in, a finished site out. It must not know the desk."""
