"""Write the goldens of this pipeline revision: `python -m tests.golden.make [scene …]`.

Goldens of a revision that was released are never written again: raise `PIPELINE_REVISION` first.
Without names only missing ones are written; a name writes that one whatever is there.
"""

import sys

from tests.golden.compare import FOLDER, canvas_of, write
from tests.golden.scenes import SCENES


def main(names: list[str]) -> None:
    FOLDER.mkdir(exist_ok=True)
    unknown = sorted(set(names) - set(SCENES))
    if unknown:
        sys.exit(f"No scene {', '.join(unknown)}; scenes: {', '.join(SCENES)}.")
    for name, build in SCENES.items():
        path = FOLDER / f"{name}.png"
        if name in names or not (names or path.exists()):
            write(canvas_of(build()), path)
            print(f"wrote {path.parent.name}/{path.name}")


if __name__ == "__main__":
    main(sys.argv[1:])
