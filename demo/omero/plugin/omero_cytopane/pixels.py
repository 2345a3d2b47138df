"""Raw samples of an image."""

# A tile lies in the memory of a worker of OMERO.web; the page asks for at most 1024 x 1024.
MOST_SAMPLES = 2048 * 2048


def read_tile(conn, image, plane, box, level):
    """Samples of a rectangle, row by row, the highest byte first.

    :param plane: (z, c, t), counted from 0
    :param box: (x, y, width, height) in pixels of the level
    :param level: 0 is the full resolution
    :raises ValueError: for a plane, level or rectangle outside the image
    """
    z, c, t = plane
    x, y, width, height = box
    sizes = (image.getSizeZ(), image.getSizeC(), image.getSizeT())
    if any(not 0 <= index < size for index, size in zip(plane, sizes)):
        raise ValueError("There is no plane z=%d, c=%d, t=%d" % plane)
    if width < 1 or height < 1 or width * height > MOST_SAMPLES:
        raise ValueError("A tile has 1 to %d samples" % MOST_SAMPLES)
    store = conn.c.sf.createRawPixelsStore(conn.SERVICE_OPTS)
    try:
        store.setPixelsId(image.getPixelsId(), True, conn.SERVICE_OPTS)
        levels = store.getResolutionLevels()
        if not 0 <= level < levels:
            raise ValueError("There is no level %d, only %d levels" % (level, levels))
        if levels > 1:
            # The store counts from the smallest.
            descriptions = store.getResolutionDescriptions()
            size_x, size_y = descriptions[level].sizeX, descriptions[level].sizeY
            store.setResolutionLevel(levels - 1 - level)
        else:
            size_x, size_y = image.getSizeX(), image.getSizeY()
        if x < 0 or y < 0 or x + width > size_x or y + height > size_y:
            raise ValueError("The tile leaves the level of %d x %d" % (size_x, size_y))
        return store.getTile(z, c, t, x, y, width, height)
    finally:
        store.close()
