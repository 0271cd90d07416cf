"""Content from elsewhere: Markdown of Jekyll, Hugo, Pelican and plain folders becomes content here.

`foreign` reads a file as its own program would, `markup` turns what only that program understands into plain
Markdown, `mapping` finds our fields for theirs, `references` finds where links lead, `intake` does it for a
whole folder and proves the result before anything is written. Nothing here knows the command line.
"""
