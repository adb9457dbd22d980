"""A second process for tests of the key store: `python -m tests.support.key_worker FOLDER KEYFILE SEED`."""

import asyncio
import json
import random
import sys
from pathlib import Path
from uuid import UUID

from lfr.storage.keyfiles import FileKeys
from lfr.storage.keystore import Ring
from lfr.storage.node_key import open_node_key

DEPLOYMENT = UUID(int=7)


async def main(folder: str, key_file: str, seed: str) -> dict[str, list[str]]:
    """Make, shred and move keys beside others who do the same; which of one's own should be there in the end."""
    keys = FileKeys(Path(folder), open_node_key(Path(key_file), create=False))
    chance = random.Random(seed)
    rings = {"alerts": {}, "held": {}}
    for number in range(20):
        owners = [UUID(int=(int(seed) << 64) + number * 8 + one) for one in range(3)]
        made = await keys.make(Ring(DEPLOYMENT, "alerts"), owners)
        assert await keys.make(Ring(DEPLOYMENT, "alerts"), owners) == made
        rings["alerts"] |= made
        gone = chance.sample(sorted(rings["alerts"]), 2)
        if number % 4 == 0:
            assert await keys.move(Ring(DEPLOYMENT, "alerts"), Ring(DEPLOYMENT, "held"), gone) == 2
            rings["held"] |= {owner: rings["alerts"].pop(owner) for owner in gone}
        else:
            assert await keys.shred(Ring(DEPLOYMENT, "alerts"), gone) == 2
            for owner in gone:
                del rings["alerts"][owner]
        for name, mine in rings.items():
            assert await keys.fetch(Ring(DEPLOYMENT, name), list(mine)) == mine
    return {name: sorted(str(owner) for owner in mine) for name, mine in rings.items()}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(*sys.argv[1:]))))
