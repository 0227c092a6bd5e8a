"""The lab: makes errors happen with the real tools, and sees an entry's first solution cure them.

`python -m lab git` runs `lab/cases/git.yaml` and writes what was seen to `lab/results/git.json`;
`docs/knowledge-base.md` says how to write a case.
"""
