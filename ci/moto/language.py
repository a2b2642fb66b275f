"""The interpreter of `local` against moto's, on two hundred small definitions (cases.py). The error of a failed case must
be the same, its cause need not: causes are prose."""

import concurrent.futures
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
    server = lambda_endpoint.serve(lambda function, event: event)
    with engines.local(machines, server.server_port) as local, engines.moto(machines, server.server_port) as moto:
        ours, theirs = run(local, table), run(moto, table)
    problems = []
    for (name, definition, _), a, b in zip(table, ours, theirs):
        if problem := engines.compare(name, a, b):
            problems.append(f"{problem}\n  {definition}")
    print(f"{len(table)} definitions: {len(table) - len(problems)} the same on both engines, {len(problems)} different")
    if problems:
        raise SystemExit("\n".join(problems))


if __name__ == "__main__":
    sys.exit(main())
