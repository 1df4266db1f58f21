package gunyah.memory;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The ownership database (Gunyah memdb): every frame of physical memory has exactly one owner, an object id of the
 * hypervisor, at every instant. Updates are all-or-nothing. Synchronised: updates are rare next to accesses.
 */
public final class FrameOwners {
    private static final int CHUNK = 1 << 15;

    private final int[][] chunks;
    private final long frameCount;
    private final int initialOwner;
    /** Null after a change; an update must not cost a walk. */
    private List<Run> runs;

    /** Frames in a row that belong to one owner; {@code pa} and {@code length} in bytes. */
    public record Run(long pa, long length, int owner) {
        @Override
        public String toString() {
            return "0x%x+0x%x of %d".formatted(pa, length, owner);
        }
    }

    /** All {@code frameCount} frames start with {@code initialOwner}. */
    public FrameOwners(long frameCount, int initialOwner) {
        this.frameCount = frameCount;
        this.initialOwner = initialOwner;
        chunks = new int[Math.toIntExact((frameCount + CHUNK - 1) / CHUNK)][];
    }

    /** {@return the owner of the frame at {@code pa}} */
    public synchronized int owner(long pa) {
        return ownerOfFrame(pa >>> PhysicalMemory.PAGE_SHIFT);
    }

    /** {@return whether every frame of the page-aligned range belongs to {@code owner}} */
    public synchronized boolean owns(int owner, long pa, long length) {
        long first = pa >>> PhysicalMemory.PAGE_SHIFT;
        long end = first + (length >>> PhysicalMemory.PAGE_SHIFT);
        if (pa < 0 || end > frameCount) {
            return false;
        }
        for (long frame = first; frame < end; frame++) {
            if (ownerOfFrame(frame) != owner) {
                return false;
            }
        }
        return true;
    }

    /**
     * Splits a page-aligned range where ownership by {@code owner} begins or ends.
     *
     * @param length at least one page
     * @return bytes from {@code pa} on that all belong to {@code owner}; negative: bytes that all do not
     */
    public synchronized long runLength(int owner, long pa, long length) {
        long first = pa >>> PhysicalMemory.PAGE_SHIFT;
        long end = first + (length >>> PhysicalMemory.PAGE_SHIFT);
        boolean owned = ownedBy(owner, first);
        long frame = first + 1;
        while (frame < end) {
            if (frame >= frameCount) {
                if (owned) {
                    break;
                }
                frame = end;
            } else if (frame % CHUNK == 0 && chunks[(int) (frame / CHUNK)] == null) {
                if ((initialOwner == owner) != owned) {
                    break;
                }
                frame = Math.min(end, Math.min(frame + CHUNK, frameCount));
            } else if (ownedBy(owner, frame) == owned) {
                frame++;
            } else {
                break;
            }
        }
        long bytes = frame - first << PhysicalMemory.PAGE_SHIFT;
        return owned ? bytes : -bytes;
    }

    private boolean ownedBy(int owner, long frame) {
        return frame < frameCount && ownerOfFrame(frame) == owner;
    }

    /**
     * Moves the page-aligned range from one owner to another.
     *
     * @return false, and nothing changed, when some frame does not belong to {@code from} or does not exist
     */
    public synchronized boolean move(long pa, long length, int from, int to) {
        if (!owns(from, pa, length)) {
            return false;
        }
        long first = pa >>> PhysicalMemory.PAGE_SHIFT;
        long end = first + (length >>> PhysicalMemory.PAGE_SHIFT);
        for (long frame = first; frame < end; frame++) {
            chunk(frame)[(int) (frame % CHUNK)] = to;
        }
        runs = null;
        return true;
    }

    /** {@return how many frames {@code owner} has; walks everything, for statistics and tests} */
    public synchronized long count(int owner) {
        long count = 0;
        for (long frame = 0; frame < frameCount; frame++) {
            if (ownerOfFrame(frame) == owner) {
                count++;
            }
        }
        return count;
    }

    /** {@return who owns what, by address; walks everything after a change, for descriptions} */
    public synchronized List<Run> runs() {
        if (runs == null) {
            List<Run> found = new ArrayList<>();
            for (long first = 0, frame = 1; first < frameCount; frame++) {
                if (frame == frameCount || ownerOfFrame(frame) != ownerOfFrame(first)) {
                    found.add(new Run(first << PhysicalMemory.PAGE_SHIFT, frame - first << PhysicalMemory.PAGE_SHIFT,
                            ownerOfFrame(first)));
                    first = frame;
                }
            }
            runs = List.copyOf(found);
        }
        return runs;
    }

    private int ownerOfFrame(long frame) {
        int[] chunk = chunks[(int) (frame / CHUNK)];
        return chunk == null ? initialOwner : chunk[(int) (frame % CHUNK)];
    }

    private int[] chunk(long frame) {
        int index = (int) (frame / CHUNK);
        if (chunks[index] == null) {
            chunks[index] = new int[CHUNK];
            Arrays.fill(chunks[index], initialOwner);
        }
        return chunks[index];
    }
}
