"""A real mouse for the tour: everything in a folder dragged out of a file manager, under X11.

    python scripts/_tour_mouse.py FOLDER X Y PICTURE...

Opens PCManFM on FOLDER at the right edge of a screen of 1600 by 1000, drags all it shows to pixel (X, Y), and clicks
MuNet in the menu in which Blender asks who shall take it. The two PICTUREs show the drag and the menu. It is a program
of its own because Blender's main thread stands still while something is dragged over its window.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time

PATIENCE = 180.0
STEPS = 24
MENU_ENTRY = (-100, -8)
"""From where the mouse lets go to our entry of the menu."""


def can_drag() -> bool:
    """Whether the programs are there that this needs."""
    return all(shutil.which(name) for name in ("xdotool", "pcmanfm", "dbus-run-session", "import"))


def mouse(*words: object, rest: float = 0.0) -> str:
    """Let xdotool do something, then wait."""
    command = ["xdotool", *(str(word) for word in words)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    time.sleep(rest)
    return answer.stdout


def look(path: str) -> None:
    """Take a picture of the screen."""
    subprocess.run(["import", "-window", "root", path], check=True)


def window() -> str:
    """Wait for the file manager's window and put it to the right edge."""
    end = time.monotonic() + PATIENCE
    while not (found := mouse("search", "--onlyvisible", "--class", "pcmanfm", rest=0.5).split()):
        if time.monotonic() > end:
            raise TimeoutError("the file manager")
    time.sleep(4.0)
    mouse("windowsize", found[-1], 580, 500, "windowmove", found[-1], 1010, 40, "windowraise", found[-1], rest=3.0)
    return found[-1]


def drag_all(target: tuple[int, int], picture: str) -> None:
    """Drag everything the file manager shows, slowly, as a hand does."""
    mouse("mousemove", 1400, 400, "click", 1, rest=2.0)
    mouse("key", "ctrl+a", rest=2.0)
    mouse("mousemove", 1212, 150, rest=1.0)
    mouse("mousedown", 1, rest=1.0)
    for step in range(STEPS + 1):
        share = step / STEPS
        mouse("mousemove", round(1205 + share * (target[0] - 1205)), round(160 + share * (target[1] - 160)), rest=0.15)
    time.sleep(1.0)
    look(picture)
    mouse("mouseup", 1, rest=3.0)


def main(folder: str, x: str, y: str, dragging: str, asked: str) -> None:
    """Drag and choose."""
    command = ["dbus-run-session", "--", "pcmanfm", "--no-desktop", folder]
    manager = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        window()
        target = (int(x), int(y))
        drag_all(target, dragging)
        look(asked)
        mouse("mousemove", target[0] + MENU_ENTRY[0], target[1] + MENU_ENTRY[1], rest=1.0)
        mouse("click", 1, rest=2.0)
        mouse("key", "Escape", rest=0.5)
    finally:
        manager.terminate()
        manager.wait(10)


if __name__ == "__main__":
    main(*sys.argv[1:])
