"""What nbgrader has to know on the hub, for the teacher and for students. Each user's server reads a copy."""

import os

c = get_config()  # noqa: F821 (nbgrader defines it)

c.CourseDirectory.course_id = "embeddings"
c.Exchange.root = os.environ.get("BOOK_HUB_EXCHANGE", "/srv/book-hub/exchange")
# Times are in UTC. nbgrader writes the time of a submission into the name of a folder, where + is a separator, so an
# offset like +0100 cannot stand there; and a name like CET it reads back wrongly on a machine that does not know it.
c.Exchange.timezone = "UTC"
