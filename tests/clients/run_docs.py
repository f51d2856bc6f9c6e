"""Runs the Python sessions of a page of docs/ against a running server, as doctest does.

Usage: run_docs.py PAGE BASE_URL
"""
import doctest
import pathlib
import re
import sys

page, url = sys.argv[1:]
text = pathlib.Path(page).read_text(encoding="utf-8").replace("http://localhost:8080", url.rstrip("/"))
sessions = "\n".join(re.findall(r"```python\n(>>>.*?)```", text, re.DOTALL))
test = doctest.DocTestParser().get_doctest(sessions, {}, page, page, 0)
runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
failed, attempted = runner.run(test)
if failed or not attempted:
    sys.exit(f"run_docs: {page}: {failed} of {attempted} examples failed")
print(f"ok: {page}: {attempted} examples")
