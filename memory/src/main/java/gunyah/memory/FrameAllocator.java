package gunyah.memory;

import java.util.BitSet;

/**
 * Hands out frames of one physical range: single 4 KiB frames and naturally aligned 2 MiB blocks. Frames come back
 * zeroed because {@link #free} discards them. Thread safe.
 */
public final class FrameAllocator {
    /** Bytes of a block. */
    public static final long BLOCK_SIZE = 2L << 20;

    private static final int FRAMES_PER_BLOCK = (int) (BLOCK_SIZE / PhysicalMemory.PAGE_SIZE);

    private final PhysicalMemory memory;
    private final long base;
    private final int frameCount;
    private final BitSet used = new BitSet();
    private int usedCount;
    private int nextHint;

    /** Manages {@code [base, base + length)}, both multiples of {@link #BLOCK_SIZE}. */
    public FrameAllocator(PhysicalMemory memory, long base, long length) {
        if (base % BLOCK_SIZE != 0 || length % BLOCK_SIZE != 0 || !memory.contains(base, length)) {
            throw new IllegalArgumentException("frames at 0x%x+0x%x".formatted(base, length));
        }
        this.memory = memory;
        this.base = base;
        this.frameCount = Math.toIntExact(length / PhysicalMemory.PAGE_SIZE);
    }

    /** {@return the physical address of a zeroed frame, or -1 when none is left} */
    public synchronized long allocateFrame() {
        int frame = used.nextClearBit(nextHint);
        if (frame >= frameCount) {
            frame = used.nextClearBit(0);
            if (frame >= frameCount) {
                return -1;
            }
        }
        used.set(frame);
        usedCount++;
        nextHint = frame + 1;
        return base + (long) frame * PhysicalMemory.PAGE_SIZE;
    }

    /** {@return the physical address of a zeroed 2 MiB block, or -1 when none is left} */
    public synchronized long allocateBlock() {
        for (int frame = 0; frame + FRAMES_PER_BLOCK <= frameCount; frame += FRAMES_PER_BLOCK) {
            int taken = used.nextSetBit(frame);
            if (taken < 0 || taken >= frame + FRAMES_PER_BLOCK) {
                used.set(frame, frame + FRAMES_PER_BLOCK);
                usedCount += FRAMES_PER_BLOCK;
                return base + (long) frame * PhysicalMemory.PAGE_SIZE;
            }
        }
        return -1;
    }

    /**
     * Takes frames back and gives their memory to the operating system.
     *
     * @throws IllegalStateException when some frame of the page-aligned range is not allocated
     */
    public synchronized void free(long pa, long length) {
        int first = Math.toIntExact((pa - base) / PhysicalMemory.PAGE_SIZE);
        int end = first + Math.toIntExact(length / PhysicalMemory.PAGE_SIZE);
        if (first < 0 || end > frameCount || used.nextClearBit(first) < end) {
            throw new IllegalStateException("frame at 0x%x+0x%x is not allocated".formatted(pa, length));
        }
        memory.discard(pa, length);
        used.clear(first, end);
        usedCount -= end - first;
        nextHint = Math.min(nextHint, first);
    }

    /** {@return frames handed out now} */
    public synchronized int usedFrames() {
        return usedCount;
    }

    /** {@return frames that are free now} */
    public synchronized int freeFrames() {
        return frameCount - usedCount;
    }
}
