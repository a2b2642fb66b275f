"""The real template on MiniStack, by the commands that a person types: deployed, used in every way, updated, destroyed.

    python check.py WORK TOOLS MINISTACK

WORK/tree is the project's tree, WORK/scenariotest the stand-in; TOOLS and MINISTACK are virtual environments.
"""

import sys
import time

import deploying
import publish
import roles
import use
import variants
from world import World


def main(work, tools, ministack):
    began = time.monotonic()
    world = World(work, tools, ministack)
    deploying.early(world)
    deploying.failed(world)
    used = use.Use(world, deploying.first(world))
    used.all()
    roles.check(used)
    used.timed_out()
    used.rotated()
    deploying.update(world)
    used.archive("after-the-update", use.ids(1))
    used.named()
    variants.check(world)
    publish.check(world)
    deploying.destroy(world, used.bucket)
    print(f"somebody else's AWS: all of it in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main(*sys.argv[1:])
