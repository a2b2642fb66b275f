"""The interpreter of `local` against moto's, on a few hundred small definitions (cases.py). The error of a failed case must
be the same, its cause need not: causes are prose. known.json lists where moto is not what AWS documents, with
our answer and the reason; an entry that no longer differs is an error too."""

import concurrent.futures
import json
import os
import sys

import cases
import engines
import lambda_endpoint


def run(engine, table):
    def one(item):
        i, (_, _, event) = item
        found = engine.result(engine.start(f"case-{i}", f"run-{i}", event))
        found.pop("cause", None)
        return found
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        return list(pool.map(one, enumerate(table)))


def main():
    table = list(cases.all_cases())
    machines = {f"case-{i}": definition for i, (_, definition, _) in enumerate(table)}
    with open(os.path.join(os.path.dirname(__file__), "known.json")) as f:
        known = json.load(f)
    server = lambda_endpoint.serve(lambda function, event: event)
    with engines.local(machines, server.server_port) as local, engines.moto(machines, server.server_port) as moto:
        ours, theirs = run(local, table), run(moto, table)
    problems, explained = [], set()
    for (name, definition, _), a, b in zip(table, ours, theirs):
        problem = engines.compare(name, a, b)
        if problem and name in known and known[name]["local"] == a:
            explained.add(name)
        elif problem:
            problems.append(f"{problem}\n  {definition}")
    problems += [f"known.json: {name!r} is no difference (any more)" for name in sorted(set(known) - explained)]
    print(f"{len(table)} definitions: {len(table) - len(explained) - len(problems)} the same on both engines, "
          f"{len(explained)} known gaps of moto's, {len(problems)} different")
    if problems:
        raise SystemExit("\n".join(problems))


if __name__ == "__main__":
    sys.exit(main())
