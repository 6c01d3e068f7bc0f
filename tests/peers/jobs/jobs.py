"""A job queue as most programs have one: a job that fails is run again, three runs in all. It needs no shipkit."""

import json
import sys


def work(ship, runs=3):
    """One job per carrier given as ``{"fault": "url"}`` on the command line; *ship* answers with the label."""
    told = {}
    for fault, url in json.loads(sys.argv[1]).items():
        told[fault] = one(ship(url), runs)
    print(json.dumps(told))


def one(job, runs):
    errors = []
    for _ in range(runs):
        try:
            label = job()
        except Exception as error:
            errors.append(f"{type(error).__name__}: {error}"[:200])
            continue
        if label:
            return {"label": True, "errors": errors}
        errors.append("an answer without a label")
    return {"label": False, "errors": errors}
