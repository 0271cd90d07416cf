"""What is made of a library: each output takes it and gives (path, text).

No output knows another, the disk or the clock.
"""
