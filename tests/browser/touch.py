"""Move a finger over a page."""


def swipe(page, start, end, steps=8):
    """Move one finger from one place on the screen to another, as Chromium gets it from a touch screen."""
    session = page.context.new_cdp_session(page)

    def send(kind, *points):
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]})

    send("touchStart", start)
    for step in range(1, steps + 1):
        send("touchMove", [a + (b - a) * step / steps for a, b in zip(start, end)])
        page.wait_for_timeout(16)  # a frame: fingers are slower than scripts
    send("touchEnd")
    page.wait_for_timeout(50)
