"""The methods text and the report: what was done, on whom, and what came out.

Templates, style and script of the page are files in ``templates``, apart from the code that fills
them.
"""
