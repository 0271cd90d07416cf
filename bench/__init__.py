"""Measures of the bindery on archives of its own, beside Material for MkDocs and Hugo on the same pages."""
