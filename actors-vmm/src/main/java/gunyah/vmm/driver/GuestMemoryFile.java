package gunyah.vmm.driver;

import gunyah.hyp.HypercallPort;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A guest memory file (v17 23 and 24/35): pages that exist when first touched, zero then, and that can be bound into
 * VMs. The host reaches them through {@link HostMapping}; while a mapping covers a page the page cannot be lent, and a
 * page that is lent cannot be reached. Thread safe.
 *
 * <p>Lock order: the monitor of a file is innermost; nothing is called with it held but the page allocator.
 */
public final class GuestMemoryFile implements AutoCloseable {
    private static final int WINDOW_PAGES = HostPages.PAGES_PER_BLOCK;
    private static final long WINDOW_SIZE = HostPages.BLOCK_SIZE;
    private static final int RECLAIM_TRIES = 10_000;

    /** A binding and the VM memory map that holds it. */
    record Bound(MemoryMap map, Binding binding) {
    }

    /** Pages of one 2 MiB window: addresses, 0 where nothing is; or one block. */
    private static final class Window {
        final long[] pages = new long[WINDOW_PAGES];
        boolean block;
        int count;
    }

    private final HypercallPort port;
    private final HostPages hostPages;
    private final boolean blocks;
    private volatile long size;
    /** Replaced, under the monitor, when the size changes. */
    private Window[] windows;
    private final List<Bound> bindings = new ArrayList<>();
    private final List<HostMapping> mappings = new ArrayList<>();
    private boolean closed;

    /**
     * Makes an empty file.
     *
     * @param size  bytes, a multiple of the page size
     * @param flags of CREATE_GUEST_MEM
     */
    GuestMemoryFile(HypercallPort port, HostPages hostPages, long size, long flags) {
        if (size < 0 || size % HostPages.PAGE_SIZE != 0) {
            throw new GunyahError(Errno.EINVAL, "guest memory of %d bytes".formatted(size));
        }
        if ((flags & ~(Uapi.GUEST_MEM_CLOEXEC | Uapi.GUEST_MEM_ALLOW_HUGEPAGE)) != 0) {
            throw new GunyahError(Errno.EINVAL, "guest memory flags 0x%x".formatted(flags));
        }
        this.port = port;
        this.hostPages = hostPages;
        this.size = size;
        this.blocks = (flags & Uapi.GUEST_MEM_ALLOW_HUGEPAGE) != 0;
        this.windows = new Window[windows(size)];
    }

    private static int windows(long size) {
        return Math.toIntExact((size + WINDOW_SIZE - 1) / WINDOW_SIZE);
    }

    /**
     * Changes the size (ftruncate). What is cut off goes back to the host first.
     *
     * @throws GunyahError EINVAL unless a multiple of the page size; others when a guest keeps a page, and nothing changes
     */
    public void resize(long bytes) {
        if (bytes < 0 || bytes % HostPages.PAGE_SIZE != 0) {
            throw new GunyahError(Errno.EINVAL, "guest memory of %d bytes".formatted(bytes));
        }
        long before = size;
        if (bytes < before) {
            size = bytes;
            try {
                punch(bytes, before);
            } catch (GunyahError e) {
                size = before;
                throw e;
            }
        }
        synchronized (this) {
            windows = Arrays.copyOf(windows, windows(bytes));
            size = bytes;
        }
    }

    /**
     * Allocates or frees pages (fallocate), with the FALLOC bits of {@link Uapi}. Both leave the size alone.
     *
     * @throws GunyahError EOPNOTSUPP for other modes, EINVAL unaligned or outside the file, ENOMEM, EINTR, and as
     *     {@link #punchHole}
     */
    public void allocate(int mode, long offset, long length) {
        int known = Uapi.FALLOC_KEEP_SIZE | Uapi.FALLOC_PUNCH_HOLE | Uapi.FALLOC_ZERO_RANGE;
        if ((mode & Uapi.FALLOC_KEEP_SIZE) == 0 || (mode & ~known) != 0) {
            throw new GunyahError(Errno.EOPNOTSUPP, "fallocate mode 0x%x".formatted(mode));
        }
        if ((mode & Uapi.FALLOC_PUNCH_HOLE) != 0) {
            punchHole(offset, length);
            return;
        }
        if (((offset | length) & HostPages.PAGE_SIZE - 1) != 0 || offset < 0 || length < 0 || offset > size - length) {
            throw new GunyahError(Errno.EINVAL, "allocation of 0x%x+0x%x".formatted(offset, length));
        }
        for (long at = offset; at < offset + length; at += HostPages.PAGE_SIZE) {
            if (Thread.currentThread().isInterrupted()) {
                throw new GunyahError(Errno.EINTR, "interrupted while guest memory was allocated");
            }
            if (folio(at) == 0) {
                throw new GunyahError(Errno.ENOMEM, "the host has no page for guest memory");
            }
        }
    }

    public long size() {
        return size;
    }

    boolean blocks() {
        return blocks;
    }

    /** Address of a folio, with {@link MappedPages#BLOCK} set for a 2 MiB one; allocates. 0 when the host has none. */
    synchronized long folio(long offset) {
        if (closed && bindings.isEmpty() || offset < 0 || offset >= size) {
            return 0;
        }
        int index = (int) (offset / WINDOW_SIZE);
        Window window = windows[index];
        if (window == null) {
            window = new Window();
            windows[index] = window;
        }
        if (window.count == 0 && blocks && (index + 1) * WINDOW_SIZE <= size) {
            allocateBlock(window);
        }
        int page = (int) (offset % WINDOW_SIZE >> HostPages.PAGE_SHIFT);
        if (window.block) {
            return window.pages[0] | MappedPages.BLOCK;
        }
        if (window.pages[page] == 0) {
            long address = hostPages.allocatePage();
            if (address < 0) {
                return 0;
            }
            window.pages[page] = address;
            window.count++;
        }
        return window.pages[page];
    }

    private void allocateBlock(Window window) {
        long address = hostPages.allocateBlock();
        if (address >= 0) {
            for (int i = 0; i < WINDOW_PAGES; i++) {
                window.pages[i] = address + ((long) i << HostPages.PAGE_SHIFT);
            }
            window.block = true;
            window.count = WINDOW_PAGES;
        }
    }

    /** {@return the address of the page at {@code offset} if it exists, else 0} */
    private synchronized long existing(long offset) {
        Window window = windows[(int) (offset / WINDOW_SIZE)];
        return window == null ? 0 : window.pages[(int) (offset % WINDOW_SIZE >> HostPages.PAGE_SHIFT)];
    }

    /** {@return whether some host mapping covers part of the range} Such pages must not be lent. */
    synchronized boolean isHostMapped(long offset, long length) {
        for (HostMapping mapping : mappings) {
            if (mapping.overlaps(offset, length)) {
                return true;
            }
        }
        return false;
    }

    /** Registers a binding. {@return EEXIST when its part of the file is bound already, in any VM} */
    synchronized Errno bind(MemoryMap map, Binding binding) {
        for (Bound bound : bindings) {
            if (bound.binding.overlapsFile(binding.offset(), binding.size())) {
                return Errno.EEXIST;
            }
        }
        bindings.add(new Bound(map, binding));
        return Errno.OK;
    }

    synchronized void unbind(MemoryMap map, Binding binding) {
        bindings.removeIf(bound -> bound.map == map && bound.binding.equals(binding));
        if (closed && bindings.isEmpty()) {
            freeAll();
        }
    }

    /** A binding lost its head or tail. */
    synchronized void trim(MemoryMap map, Binding binding, Binding rest) {
        bindings.removeIf(bound -> bound.map == map && bound.binding.equals(binding));
        bindings.add(new Bound(map, rest));
    }

    private synchronized Bound boundAt(long offset) {
        for (Bound bound : bindings) {
            if (bound.binding.overlapsFile(offset, 1)) {
                return bound;
            }
        }
        return null;
    }

    /**
     * Maps part of the file into the host. Pages that are lent are reclaimed first, which fails while their guest has
     * them.
     *
     * @throws GunyahError EINVAL outside the file or unaligned, or why a page did not come back
     */
    public HostMapping map(long offset, long length) {
        if (((offset | length) & HostPages.PAGE_SIZE - 1) != 0 || offset < 0 || length <= 0 || offset > size - length) {
            throw new GunyahError(Errno.EINVAL, "host mapping of 0x%x+0x%x".formatted(offset, length));
        }
        HostMapping mapping = new HostMapping(this, offset, length);
        synchronized (this) {
            mappings.add(mapping);
        }
        // A fault claims its page before it asks isHostMapped, so either it sees this mapping or we see its page.
        for (long at = offset; at < offset + length; at += HostPages.PAGE_SIZE) {
            Errno errno = takeBackLent(at);
            if (errno != Errno.OK) {
                unmap(mapping);
                throw new GunyahError(errno, "page 0x%x of the file is lent".formatted(at));
            }
        }
        return mapping;
    }

    /** {@return all of it as memory of a process, whose mapping keeps no page from being lent} A lent page is EFAULT. */
    public HostMapping view() {
        return new HostMapping(this, 0, size);
    }

    private Errno takeBackLent(long offset) {
        Bound bound = boundAt(offset);
        return bound == null || !bound.binding.lend() || existing(offset) == 0 ? Errno.OK : takeBack(offset);
    }

    synchronized void unmap(HostMapping mapping) {
        mappings.remove(mapping);
    }

    /** Copies in through the host's stage 2, run of contiguous pages by run. */
    void write(long offset, byte[] source, int from, int length) {
        transfer(offset, from, length, (address, at, count) -> port.write(address, source, at, count));
    }

    void read(long offset, byte[] target, int from, int length) {
        transfer(offset, from, length, (address, at, count) -> port.read(address, target, at, count));
    }

    private interface Copy {
        void copy(long address, int at, int count);
    }

    private void transfer(long offset, int from, int length, Copy copy) {
        int done = 0;
        while (done < length) {
            long address = addressOf(offset + done);
            int run = (int) Math.min(length - done, HostPages.PAGE_SIZE - (offset + done) % HostPages.PAGE_SIZE);
            while (done + run < length && addressOf(offset + done + run) == address + run) {
                run = (int) Math.min(length - done, (long) run + HostPages.PAGE_SIZE);
            }
            try {
                copy.copy(address, from + done, run);
            } catch (HypercallPort.ExternalAbort e) {
                throw new GunyahError(Errno.EFAULT, e.getMessage());
            }
            done += run;
        }
    }

    private long addressOf(long offset) {
        long folio = folio(offset);
        if (folio == 0) {
            throw new GunyahError(Errno.ENOMEM, "the host has no page for guest memory");
        }
        long inFolio = (folio & MappedPages.BLOCK) != 0 ? offset % HostPages.BLOCK_SIZE : offset % HostPages.PAGE_SIZE;
        return MappedPages.address(folio) + inFolio;
    }

    /**
     * Gives pages back to the host (fallocate PUNCH_HOLE | KEEP_SIZE): the guest's next touch finds zeros.
     *
     * @throws GunyahError EINVAL unaligned or negative; BUSY and others when a guest keeps a page, which then stays
     */
    public void punchHole(long offset, long length) {
        if (((offset | length) & HostPages.PAGE_SIZE - 1) != 0 || offset < 0 || length < 0) {
            throw new GunyahError(Errno.EINVAL, "hole of 0x%x+0x%x".formatted(offset, length));
        }
        punch(offset, length > size - offset ? size : offset + length);
    }

    private void punch(long offset, long end) {
        long at = offset;
        while (at < end) {
            long next = Math.min(end, nextFolio(at));
            Errno errno = isWhole(at, next) ? free(at) : zero(at, next);
            GunyahError.check(errno, "page 0x%x of the file is in use by a guest".formatted(at));
            at = next;
        }
    }

    private synchronized long nextFolio(long offset) {
        Window window = windows[(int) (offset / WINDOW_SIZE)];
        boolean large = window == null || window.block;
        return large ? (offset / WINDOW_SIZE + 1) * WINDOW_SIZE : offset + HostPages.PAGE_SIZE;
    }

    private synchronized boolean isWhole(long offset, long end) {
        Window window = windows[(int) (offset / WINDOW_SIZE)];
        return window == null || !window.block || offset % WINDOW_SIZE == 0 && end - offset == WINDOW_SIZE;
    }

    /**
     * Frees a folio. It leaves the file before it leaves the guest: a fault meanwhile finds that it is no longer the
     * file's and tries again with a fresh one.
     */
    private Errno free(long offset) {
        int index = (int) (offset / WINDOW_SIZE);
        int page = (int) (offset % WINDOW_SIZE >> HostPages.PAGE_SHIFT);
        Window block = null;
        long address = 0;
        synchronized (this) {
            Window window = windows[index];
            if (window == null || window.pages[page] == 0) {
                return Errno.OK;
            }
            if (window.block) {
                block = window;
                windows[index] = null;
            } else {
                address = window.pages[page];
                window.pages[page] = 0;
                window.count--;
            }
        }
        Errno errno = takeBack(offset);
        if (errno != Errno.OK) {
            restore(index, page, block, address);
        } else if (block != null) {
            hostPages.free(block.pages[0], WINDOW_PAGES);
        } else {
            hostPages.free(address, 1);
        }
        return errno;
    }

    /** The guest kept the folio; what came into its place meanwhile was never the guest's. */
    private synchronized void restore(int index, int page, Window block, long address) {
        if (block != null) {
            if (windows[index] != null) {
                free(windows[index]);
            }
            windows[index] = block;
            return;
        }
        Window window = windows[index];
        if (window.pages[page] != 0) {
            hostPages.free(window.pages[page], 1);
        } else {
            window.count++;
        }
        window.pages[page] = address;
    }

    /** Part of a block: the block stays, its bytes are zero. */
    private Errno zero(long offset, long end) {
        Errno errno = takeBack(offset);
        if (errno == Errno.OK) {
            write(offset, new byte[(int) (end - offset)], 0, (int) (end - offset));
        }
        return errno;
    }

    /** Takes the folio from the guest that it is bound to; waits for a fault that is just providing it. */
    private Errno takeBack(long offset) {
        Bound bound = boundAt(offset);
        if (bound == null) {
            return Errno.OK;
        }
        Errno errno = Errno.EAGAIN;
        for (int tries = 0; errno == Errno.EAGAIN && tries < RECLAIM_TRIES; tries++) {
            errno = bound.map.reclaimPage(bound.binding.gpaOf(offset));
            if (errno == Errno.EAGAIN) {
                Thread.yield();
            }
        }
        return errno;
    }

    /** {@return whether the folio is still the file's at that place} A fault asks once it has claimed the guest's page. */
    synchronized boolean holds(long offset, long folio) {
        if (offset >= size) {
            return false;
        }
        Window window = windows[(int) (offset / WINDOW_SIZE)];
        if (window == null) {
            return false;
        }
        boolean block = (folio & MappedPages.BLOCK) != 0;
        int page = block ? 0 : (int) (offset % WINDOW_SIZE >> HostPages.PAGE_SHIFT);
        return window.block == block && window.pages[page] == MappedPages.address(folio);
    }

    /** {@return bytes of host memory the file holds} */
    public synchronized long allocatedBytes() {
        long pages = 0;
        for (Window window : windows) {
            pages += window == null ? 0 : window.count;
        }
        return pages << HostPages.PAGE_SHIFT;
    }

    /**
     * Lets go of the file: every page is freed when the last binding is gone. A page a VM did not give back is lost to
     * the host, not reused. Idempotent.
     */
    @Override
    public synchronized void close() {
        closed = true;
        if (bindings.isEmpty()) {
            freeAll();
        }
    }

    private void freeAll() {
        for (int i = 0; i < windows.length; i++) {
            if (windows[i] != null) {
                free(windows[i]);
                windows[i] = null;
            }
        }
    }

    private void free(Window window) {
        if (window.block) {
            hostPages.free(window.pages[0], WINDOW_PAGES);
            return;
        }
        for (long address : window.pages) {
            if (address != 0) {
                hostPages.free(address, 1);
            }
        }
    }

    /** Forgets a page whose owner is in doubt, so that nobody gets it again. */
    synchronized void quarantine(long offset) {
        Window window = windows[(int) (offset / WINDOW_SIZE)];
        if (window == null) {
            return;
        }
        if (window.block) {
            windows[(int) (offset / WINDOW_SIZE)] = null;
        } else {
            window.pages[(int) (offset % WINDOW_SIZE >> HostPages.PAGE_SHIFT)] = 0;
            window.count--;
        }
    }
}
