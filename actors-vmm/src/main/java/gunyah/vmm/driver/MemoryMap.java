package gunyah.vmm.driver;

import gunyah.hyp.HypError;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.StampedLock;
import java.util.function.IntSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The guest physical memory of one VM (v17 20, 24, 25 and 28/35): bindings, and the pages provided so far. Faults run on
 * the faulting vCPU's host CPU. Thread safe.
 *
 * <p>Lock order: {@code bindingsLock}, then a claimed page, then a file's monitor. Faults hold the lock shared, changes
 * of bindings hold it exclusively, so a fault either ends before the change or sees no binding.
 */
final class MemoryMap {
    /** Labels of the memory extents RM hands out. */
    enum Extent {
        GUEST_PRIVATE, HOST_SHARED, HOST_PRIVATE, GUEST_SHARED
    }

    /** Pages lent to RM: the widened range and its memory. */
    record Parcel(long gpa, long size, int permissions, List<RmClient.MemEntry> entries) {
    }

    private static final Logger LOG = LoggerFactory.getLogger(MemoryMap.class);
    private static final long NO_CAP = -1;
    private static final int ACCESS_READ = 4;
    private static final int ACCESS_WRITE = 2;
    private static final int ACCESS_EXEC = 1;

    private final Supplier<Hvc> hvc;
    private final IntSupplier vmid;
    private final Supplier<PlatformHooks> platform;
    private final StampedLock bindingsLock = new StampedLock();
    /** Written under {@code bindingsLock}, sorted by address. */
    private volatile List<Binding> bindings = List.of();
    private final MappedPages pages = new MappedPages();
    private final AtomicLong pagesLent = new AtomicLong();
    private final AtomicLong pagesReturned = new AtomicLong();
    private volatile long addrspace = NO_CAP;
    private volatile long[] extents = {NO_CAP, NO_CAP, NO_CAP, NO_CAP};

    /**
     * Makes an empty map.
     *
     * @param hvc      the calling thread's hypercalls
     * @param vmid     of the VM, for the platform
     * @param platform what else has to happen
     */
    MemoryMap(Supplier<Hvc> hvc, IntSupplier vmid, Supplier<PlatformHooks> platform) {
        this.hvc = hvc;
        this.vmid = vmid;
        this.platform = platform;
    }

    void attachAddrspace(long cap) {
        addrspace = cap;
    }

    void attachExtent(Extent extent, long cap) {
        long[] next = extents.clone();
        next[extent.ordinal()] = cap;
        extents = next;
    }

    void detachResources() {
        addrspace = NO_CAP;
        extents = new long[] {NO_CAP, NO_CAP, NO_CAP, NO_CAP};
    }

    private long extent(Extent extent) {
        return extents[extent.ordinal()];
    }

    /** {@return pages that left the host for this VM, parcels included} */
    long pagesLent() {
        return pagesLent.get();
    }

    /** {@return pages that came back} */
    long pagesReturned() {
        return pagesReturned.get();
    }

    /** MAP_MEM without UNMAP. */
    Errno map(GuestMemoryFile file, long gpa, long size, long offset, int flags) {
        Binding binding = binding(file, gpa, size, offset, flags);
        if (binding == null) {
            return Errno.EINVAL;
        }
        long stamp = bindingsLock.writeLock();
        try {
            for (Binding other : bindings) {
                if (other.overlapsGuest(gpa, size)) {
                    return Errno.EEXIST;
                }
            }
            Errno errno = file.bind(this, binding);
            if (errno == Errno.OK) {
                replace(null, binding);
            }
            return errno;
        } finally {
            bindingsLock.unlockWrite(stamp);
        }
    }

    /** The binding that arguments of MAP_MEM describe; null when they are illegal. */
    private static Binding binding(GuestMemoryFile file, long gpa, long size, long offset, int flags) {
        int known = Uapi.MEM_ACCESS_MASK | Uapi.MEM_ALLOW_RWX;
        int access = flags & Uapi.MEM_ACCESS_MASK;
        long alignment = file.blocks() ? HostPages.BLOCK_SIZE : HostPages.PAGE_SIZE;
        if ((flags & ~known) != 0 || (flags & Uapi.MEM_ALLOW_RWX) == 0 || access > Uapi.MEM_FORCE_SHARE
                || ((gpa | size | offset) & alignment - 1) != 0 || size <= 0 || gpa < 0 || gpa > Long.MAX_VALUE - size
                || offset < 0 || offset > file.size() - size) {
            return null;
        }
        return new Binding(gpa, size, file, offset, access != Uapi.MEM_FORCE_SHARE, flags & Uapi.MEM_ALLOW_RWX);
    }

    /** MAP_MEM with UNMAP: a whole binding, its head or its tail. */
    Errno unmap(GuestMemoryFile file, long gpa, long size, long offset, int flags) {
        Binding wanted = binding(file, gpa, size, offset, flags);
        if (wanted == null) {
            return Errno.EINVAL;
        }
        long stamp = bindingsLock.writeLock();
        try {
            Binding binding = find(gpa);
            if (binding == null || binding.file() != file || binding.lend() != wanted.lend()
                    || binding.permissions() != wanted.permissions() || binding.offsetOf(gpa) != offset
                    || wanted.end() > binding.end()) {
                return Errno.ENOENT;
            }
            boolean head = gpa == binding.gpa();
            boolean tail = wanted.end() == binding.end();
            if (!head && !tail) {
                return Errno.EINVAL;
            }
            Errno errno = reclaimRange(gpa, size);
            if (errno != Errno.OK) {
                return errno;
            }
            Binding rest = null;
            if (!head) {
                rest = binding.part(binding.gpa(), gpa - binding.gpa());
            } else if (!tail) {
                rest = binding.part(wanted.end(), binding.end() - wanted.end());
            }
            replace(binding, rest);
            if (rest == null) {
                file.unbind(this, binding);
            } else {
                file.trim(this, binding, rest);
            }
            return Errno.OK;
        } finally {
            bindingsLock.unlockWrite(stamp);
        }
    }

    private void replace(Binding old, Binding added) {
        List<Binding> next = new ArrayList<>(bindings);
        next.remove(old);
        if (added != null) {
            next.add(added);
        }
        next.sort((a, b) -> Long.compare(a.gpa(), b.gpa()));
        bindings = List.copyOf(next);
    }

    private Binding find(long gpa) {
        List<Binding> sorted = bindings;
        for (int i = 0; i < sorted.size(); i++) {
            Binding binding = sorted.get(i);
            if (binding.contains(gpa)) {
                return binding;
            }
        }
        return null;
    }

    /** {@return the lent ranges, ascending: what SET_DEMAND_PAGING announces} */
    List<RmClient.Range> lentRanges() {
        return bindings.stream().filter(Binding::lend).map(b -> new RmClient.Range(b.gpa(), b.size())).toList();
    }

    /**
     * Gives the guest the page it touched.
     *
     * @return OK; EAGAIN when another vCPU does or did it; ENOENT without binding; EPERM for a write to a read-only one
     *     or a page the host has mapped; ENOMEM; ENODEV before RM gave the resources; else what a hypercall answered
     */
    Errno fault(long gpa, boolean write) {
        if (find(gpa) == null) {
            return Errno.ENOENT;
        }
        long stamp = bindingsLock.readLock();
        try {
            Binding binding = find(gpa);
            if (binding == null) {
                return Errno.ENOENT;
            }
            if (write && !binding.writable()) {
                return Errno.EPERM;
            }
            long folio = binding.file().folio(binding.offsetOf(gpa));
            if (folio == 0) {
                return Errno.ENOMEM;
            }
            return provide(binding, gpa & -folioSize(folio), folio);
        } finally {
            bindingsLock.unlockRead(stamp);
        }
    }

    /**
     * Gives the guest all of a range before it touches it: every folio that it does not have yet.
     *
     * @return OK, or why one could not be provided, as {@link #fault}
     */
    Errno populate(long gpa, long size) {
        long at = gpa;
        while (at < gpa + size) {
            Errno errno = fault(at, false);
            if (errno != Errno.OK && errno != Errno.EAGAIN) {
                return errno;
            }
            at = folioEnd(at);
        }
        return Errno.OK;
    }

    private long folioEnd(long gpa) {
        long page = gpa >> HostPages.PAGE_SHIFT;
        long block = pages.get(page & -HostPages.PAGES_PER_BLOCK);
        return (block & MappedPages.BLOCK) != 0 ? (gpa & -HostPages.BLOCK_SIZE) + HostPages.BLOCK_SIZE
                : gpa + HostPages.PAGE_SIZE;
    }

    private static long folioSize(long folio) {
        return (folio & MappedPages.BLOCK) != 0 ? HostPages.BLOCK_SIZE : HostPages.PAGE_SIZE;
    }

    private Errno provide(Binding binding, long gpa, long folio) {
        boolean lend = binding.lend();
        long from = extent(lend ? Extent.HOST_PRIVATE : Extent.HOST_SHARED);
        long to = extent(lend ? Extent.GUEST_PRIVATE : Extent.GUEST_SHARED);
        if (addrspace == NO_CAP || from == NO_CAP || to == NO_CAP) {
            return Errno.ENODEV;
        }
        long page = gpa >> HostPages.PAGE_SHIFT;
        if (!pages.claim(page)) {
            return Errno.EAGAIN;
        }
        long size = folioSize(folio);
        if (!binding.file().holds(binding.offsetOf(gpa), folio)) {
            pages.set(page, MappedPages.EMPTY);
            return Errno.EAGAIN;
        }
        if (lend && binding.file().isHostMapped(binding.offsetOf(gpa), size)) {
            pages.set(page, MappedPages.EMPTY);
            return Errno.EPERM;
        }
        long address = MappedPages.address(folio);
        long entry = entry(folio, binding);
        Errno assigned = platform.get().assign(vmid.getAsInt(), access(entry), address, size);
        if (assigned != Errno.OK) {
            pages.set(page, MappedPages.EMPTY);
            return assigned;
        }
        Hvc calls = hvc.get();
        long error = calls.memextentDonate(lend ? Hvc.DONATE_TO_PROTECTED : Hvc.DONATE_TO_SIBLING, from, to, address,
                size);
        if (error != HypError.OK.code()) {
            released(binding, page, entry);
            return Errno.ofHypercall(error);
        }
        long count = size >> HostPages.PAGE_SHIFT;
        pagesLent.addAndGet(count);
        error = calls.addrspaceMap(addrspace, to, gpa, attributes(entry), mapFlags(entry), address, size);
        if (error != HypError.OK.code()) {
            return unwind(calls, binding, page, entry, error);
        }
        pages.set(page, entry);
        return Errno.OK;
    }

    /** After a map that failed: donate back; if that fails too the entry stays claimed, so the page is never reused. */
    private Errno unwind(Hvc calls, Binding binding, long page, long entry, long mapError) {
        long error = donateBack(calls, entry);
        if (error == HypError.OK.code()) {
            pagesReturned.addAndGet(MappedPages.pages(entry));
            released(binding, page, entry);
        } else {
            LOG.warn("page 0x{} is lost: donating it back failed with {}",
                    Long.toHexString(MappedPages.address(entry)), HypError.of(error));
            binding.file().quarantine(binding.offsetOf(page << HostPages.PAGE_SHIFT));
        }
        return Errno.ofHypercall(mapError);
    }

    /** The host has the folio again; unless the platform knows better, then nobody uses it any more. */
    private void released(Binding binding, long page, long entry) {
        Errno errno = release(entry);
        if (errno == Errno.OK) {
            pages.set(page, MappedPages.EMPTY);
        } else {
            LOG.warn("page 0x{} is lost: the platform did not release it: {}",
                    Long.toHexString(MappedPages.address(entry)), errno);
            binding.file().quarantine(binding.offsetOf(page << HostPages.PAGE_SHIFT));
        }
    }

    private Errno release(long entry) {
        return platform.get().release(vmid.getAsInt(), access(entry), MappedPages.address(entry),
                MappedPages.bytes(entry));
    }

    private long donateBack(Hvc calls, long entry) {
        boolean lend = isLent(entry);
        return calls.memextentDonate(lend ? Hvc.DONATE_FROM_PROTECTED : Hvc.DONATE_TO_SIBLING, guestExtent(entry),
                extent(lend ? Extent.HOST_PRIVATE : Extent.HOST_SHARED), MappedPages.address(entry),
                MappedPages.bytes(entry));
    }

    private long guestExtent(long entry) {
        return extent(isLent(entry) ? Extent.GUEST_PRIVATE : Extent.GUEST_SHARED);
    }

    private static long entry(long folio, Binding binding) {
        return folio | MappedPages.PRESENT | (binding.lend() ? 0 : MappedPages.SHARED)
                | (binding.writable() ? MappedPages.WRITABLE : 0)
                | (binding.sharesCode() ? MappedPages.EXECUTABLE : 0);
    }

    private static boolean isLent(long entry) {
        return (entry & MappedPages.SHARED) == 0;
    }

    /** addrspace_map attributes: user access, kernel access, memory type. */
    private static long attributes(long entry) {
        long access = access(entry);
        return access | access << 4 | Hvc.MEMTYPE_NORMAL_WB;
    }

    private static int access(long entry) {
        return ACCESS_READ | ((entry & MappedPages.WRITABLE) != 0 ? ACCESS_WRITE : 0)
                | (isLent(entry) || (entry & MappedPages.EXECUTABLE) != 0 ? ACCESS_EXEC : 0);
    }

    private static long mapFlags(long entry) {
        if (isLent(entry)) {
            return Hvc.MAP_PARTIAL | Hvc.MAP_PRIVATE;
        }
        return Hvc.MAP_PARTIAL | ((entry & MappedPages.EXECUTABLE) != 0 ? 0 : Hvc.MAP_VMMIO);
    }

    /** {@return OK when the guest no longer has the folio of this page}; EAGAIN while somebody works on it. */
    Errno reclaimPage(long gpa) {
        long page = gpa >> HostPages.PAGE_SHIFT;
        long entry = pages.get(page);
        if (entry == MappedPages.EMPTY) {
            page &= -HostPages.PAGES_PER_BLOCK;
            entry = pages.get(page);
            if ((entry & MappedPages.BLOCK) == 0) {
                return Errno.OK;
            }
        }
        return reclaim(page, entry, false);
    }

    /** Takes one folio back: unmap, donate, forget. */
    private Errno reclaim(long page, long entry, boolean moreFollow) {
        if ((entry & MappedPages.PRESENT) == 0 || !pages.claim(page, entry)) {
            return Errno.EAGAIN;
        }
        Hvc calls = hvc.get();
        long error = calls.addrspaceUnmap(addrspace, guestExtent(entry), page << HostPages.PAGE_SHIFT,
                mapFlags(entry) | (moreFollow ? Hvc.MAP_NOSYNC : 0), MappedPages.address(entry),
                MappedPages.bytes(entry));
        if (error == HypError.OK.code()) {
            error = donateBack(calls, entry);
        }
        if (error != HypError.OK.code()) {
            pages.set(page, entry);
            return Errno.ofHypercall(error);
        }
        pagesReturned.addAndGet(MappedPages.pages(entry));
        Errno errno = release(entry);
        if (errno == Errno.OK) {
            pages.set(page, MappedPages.EMPTY);
        }
        return errno;
    }

    /** Takes every folio of a range back; goes on after errors. {@return EAGAIN before any other error} */
    private Errno reclaimRange(long gpa, long size) {
        long end = gpa + size >> HostPages.PAGE_SHIFT;
        long page = pages.next(gpa >> HostPages.PAGE_SHIFT, end);
        Errno result = Errno.OK;
        while (page < end) {
            long following = pages.next(page + 1, end);
            Errno errno = reclaim(page, pages.get(page), following < end);
            if (errno != Errno.OK && result != Errno.EAGAIN) {
                result = errno;
            }
            page = following;
        }
        return result;
    }

    /**
     * Builds the parcel that covers every page of {@code [gpa, gpa + size)}, widened to whole folios: allocates them.
     * The caller lends it; nothing changes hands here.
     */
    Parcel parcel(long gpa, long size) {
        if (size <= 0) {
            throw new GunyahError(Errno.EINVAL, "parcel of %d bytes".formatted(size));
        }
        long stamp = bindingsLock.readLock();
        try {
            Binding binding = find(gpa);
            if (binding == null || gpa + size > binding.end()) {
                throw new GunyahError(Errno.ENOENT, "0x%x+0x%x is not inside one range of guest memory"
                        .formatted(gpa, size));
            }
            List<RmClient.MemEntry> entries = new ArrayList<>();
            long start = -1;
            long at = gpa;
            while (at < gpa + size) {
                long folio = binding.file().folio(binding.offsetOf(at));
                if (folio == 0) {
                    throw new GunyahError(Errno.ENOMEM, "the host has no page for guest memory");
                }
                long folioSize = folioSize(folio);
                at &= -folioSize;
                if (binding.file().isHostMapped(binding.offsetOf(at), folioSize)) {
                    throw new GunyahError(Errno.EPERM, "the host still maps the guest page at 0x%x".formatted(at));
                }
                start = start < 0 ? at : start;
                entries.add(new RmClient.MemEntry(MappedPages.address(folio), folioSize));
                at += folioSize;
            }
            return new Parcel(start, at - start, acl(binding.permissions()), List.copyOf(entries));
        } finally {
            bindingsLock.unlockRead(stamp);
        }
    }

    private static int acl(int permissions) {
        return ((permissions & Uapi.MEM_ALLOW_READ) != 0 ? RmClient.ACL_READ : 0)
                | ((permissions & Uapi.MEM_ALLOW_WRITE) != 0 ? RmClient.ACL_WRITE : 0)
                | ((permissions & Uapi.MEM_ALLOW_EXEC) != 0 ? RmClient.ACL_EXEC : 0);
    }

    /** Asks the platform for a parcel that is to be lent. @throws GunyahError what it answered; nothing is assigned then */
    void assign(Parcel parcel) {
        List<RmClient.MemEntry> done = new ArrayList<>();
        for (RmClient.MemEntry entry : parcel.entries()) {
            Errno errno = platform.get().assign(vmid.getAsInt(), parcel.permissions(), entry.address(), entry.size());
            if (errno != Errno.OK) {
                release(new Parcel(parcel.gpa(), 0, parcel.permissions(), done));
                throw new GunyahError(errno, "the platform keeps 0x%x".formatted(entry.address()));
            }
            done.add(entry);
        }
    }

    /** Tells the platform of a parcel that came back. */
    void release(Parcel parcel) {
        for (RmClient.MemEntry entry : parcel.entries()) {
            Errno errno = platform.get().release(vmid.getAsInt(), parcel.permissions(), entry.address(), entry.size());
            if (errno != Errno.OK) {
                LOG.warn("the platform did not release 0x{}: {}", Long.toHexString(entry.address()), errno);
            }
        }
    }

    private static long pageCount(Parcel parcel) {
        return parcel.size() >> HostPages.PAGE_SHIFT;
    }

    /** Counts a parcel that RM took. */
    void parcelLent(Parcel parcel) {
        pagesLent.addAndGet(pageCount(parcel));
    }

    /** Counts a parcel that RM gave back. */
    void parcelReturned(Parcel parcel) {
        pagesReturned.addAndGet(pageCount(parcel));
    }

    /** Makes a parcel's pages entries of this map, before RM moves them to the guest at VM_START. */
    void adopt(Parcel parcel) {
        forEachFolio(parcel, (page, folio) -> pages.set(page,
                folio | MappedPages.PRESENT | MappedPages.WRITABLE));
    }

    /** Undoes {@link #adopt} when VM_START failed: RM still has the parcel. */
    void disown(Parcel parcel) {
        forEachFolio(parcel, (page, folio) -> pages.set(page, MappedPages.EMPTY));
    }

    private interface FolioAction {
        void apply(long page, long folio);
    }

    private static void forEachFolio(Parcel parcel, FolioAction action) {
        long gpa = parcel.gpa();
        for (RmClient.MemEntry entry : parcel.entries()) {
            boolean block = entry.size() == HostPages.BLOCK_SIZE;
            action.apply(gpa >> HostPages.PAGE_SHIFT, entry.address() | (block ? MappedPages.BLOCK : 0));
            gpa += entry.size();
        }
    }

    /** Teardown: takes every page back and lets go of the files. {@return pages that stayed with the guest} */
    long release() {
        long stamp = bindingsLock.writeLock();
        try {
            for (Binding binding : bindings) {
                Errno errno = reclaimRange(binding.gpa(), binding.size());
                if (errno != Errno.OK) {
                    LOG.warn("memory at 0x{} did not come back: {}", Long.toHexString(binding.gpa()), errno);
                    quarantineRest(binding);
                }
                binding.file().unbind(this, binding);
            }
            bindings = List.of();
            return pagesLent.get() - pagesReturned.get();
        } finally {
            bindingsLock.unlockWrite(stamp);
        }
    }

    /** Keeps the pages of a parcel RM did not give back out of circulation. */
    void quarantine(Parcel parcel) {
        long stamp = bindingsLock.readLock();
        try {
            Binding binding = find(parcel.gpa());
            if (binding != null) {
                forEachFolio(parcel, (page, folio) ->
                        binding.file().quarantine(binding.offsetOf(page << HostPages.PAGE_SHIFT)));
            }
        } finally {
            bindingsLock.unlockRead(stamp);
        }
    }

    private void quarantineRest(Binding binding) {
        long end = binding.end() >> HostPages.PAGE_SHIFT;
        for (long page = pages.next(binding.gpa() >> HostPages.PAGE_SHIFT, end); page < end;
                page = pages.next(page + 1, end)) {
            binding.file().quarantine(binding.offsetOf(page << HostPages.PAGE_SHIFT));
        }
    }
}
