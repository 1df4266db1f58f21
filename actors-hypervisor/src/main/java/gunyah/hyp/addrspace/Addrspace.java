package gunyah.hyp.addrspace;

import akka.actor.typed.ActorRef;
import akka.actor.typed.ActorSystem;
import gunyah.hyp.Dispatchers;
import gunyah.hyp.HypError;
import gunyah.hyp.KernelObject;
import gunyah.hyp.ObjectType;
import gunyah.hyp.ReplySlot;
import gunyah.hyp.StateText;
import gunyah.memory.Access;
import gunyah.memory.PhysicalMemory;
import gunyah.memory.Stage2Table;
import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.StampedLock;

/**
 * An address space: the stage-2 view a VM has of physical memory, with its VMMIO and PRIVATE ranges and the devices
 * the hypervisor emulates in it (Gunyah hyp/mem/addrspace). Written by its actor, read by vCPU threads without locks.
 *
 * <p>Whoever copies guest memory outside guest code (hypercall arguments, Java VMs) does it through {@link #view},
 * so that an unmap can wait for copies under way as it waits for vCPUs.
 */
public final class Addrspace extends KernelObject {
    /** Highest VMID the configure call takes. */
    public static final int MAX_VMID = 0xFFFF;

    /** Threads that may be attached. */
    public static final int MAX_THREADS = 64;

    static final long SYNC_NEEDED = 1L << 32;
    private static final int SYNC_SPINS = 200;
    private static final long SYNC_PARK_NS = 20_000;

    private final Vmids vmids;
    private final DevicePages pages;
    private final Stage2Table stage2 = new Stage2Table();
    private final StampedLock copies = new StampedLock();
    private final AddrspaceView view;
    private final AtomicInteger threads = new AtomicInteger();
    private final AtomicInteger liveVcpus = new AtomicInteger();
    private final Set<MappingOwner> mappingOwners = ConcurrentHashMap.newKeySet();
    private final AtomicReference<HypervisorPage> infoArea = new AtomicReference<>();
    private ActorRef<AddrspaceActor.Command> actor;
    private volatile StageTwoObservers observers = StageTwoObservers.NONE;
    private volatile IpaRanges ranges = IpaRanges.EMPTY;
    private volatile VdeviceRegion[] vdevices = {};
    private volatile int vmid;
    private volatile boolean infoAttached;
    /** Broken, and nothing can be reached through the table any more. */
    private volatile boolean withdrawn;

    private Addrspace(int id, PhysicalMemory memory, Vmids vmids, DevicePages pages) {
        super(ObjectType.ADDRSPACE, id);
        this.vmids = vmids;
        this.pages = pages;
        this.view = new AddrspaceView(stage2, memory, copies);
    }

    /** Makes an address space in INIT, and its actor. */
    public static Addrspace create(int id, ActorSystem<?> system, PhysicalMemory memory, Vmids vmids,
            DevicePages pages) {
        Addrspace addrspace = new Addrspace(id, memory, vmids, pages);
        addrspace.actor = system.systemActorOf(AddrspaceActor.create(addrspace), "addrspace-" + id,
                Dispatchers.hypercall());
        return addrspace;
    }

    /** {@return the table; only the actor writes it} */
    public Stage2Table stage2() {
        return stage2;
    }

    /** {@return access to the VM's memory for copies outside guest code} */
    public AddrspaceView view() {
        return view;
    }

    /** {@return the actor that writes this address space} */
    public ActorRef<AddrspaceActor.Command> actor() {
        return actor;
    }

    /** {@return the VMID, 0 until configured} */
    public int vmid() {
        return vmid;
    }

    /** Sets the VMID, in INIT: 1..{@link #MAX_VMID}. Whether it is free is found out at activation. */
    public HypError configure(int newVmid) {
        if (newVmid < 1 || newVmid > MAX_VMID) {
            return HypError.ARGUMENT_INVALID;
        }
        vmid = newVmid;
        return HypError.OK;
    }

    @Override
    protected HypError onActivate() {
        if (vmid == 0) {
            return HypError.OBJECT_CONFIG;
        }
        if (!vmids.take(vmid, this)) {
            return HypError.BUSY;
        }
        HypError error = takeInfoArea();
        if (error != HypError.OK) {
            vmids.giveBack(vmid, this);
        }
        return error;
    }

    /** An extent that cannot be had is forgotten, so that the address space may be activated without. */
    private HypError takeInfoArea() {
        HypervisorPage info = infoArea.get();
        if (info == null) {
            return HypError.OK;
        }
        HypError error = info.attach();
        if (error == HypError.OK) {
            infoAttached = true;
            info.clear();
        } else {
            infoArea.set(null);
            info.release();
        }
        return error;
    }

    @Override
    protected void onDestroy() {
        mappingOwners.forEach(owner -> owner.forget(this));
        vmids.giveBack(vmid, this);
        HypervisorPage info = infoArea.getAndSet(null);
        if (info != null) {
            if (infoAttached) {
                info.detach();
            }
            info.release();
        }
        actor.tell(AddrspaceActor.stop());
    }

    @Override
    protected void describe(StateText text) {
        text.put("vmid", vmid).put("threads", threads.get()).put("vcpus.live", liveVcpus.get());
        text.put("info_area", (KernelObject) infoArea.get());
        ranges.describe(text);
        for (VdeviceRegion region : vdevices) {
            text.run("vdevice", region.base(), region.size(), 0, 0);
        }
        describePages(text);
    }

    /** One line for pages that follow each other in both address spaces with the same bits. */
    private void describePages(StateText text) {
        long end = 1L << Stage2Table.IPA_BITS;
        long first = 0;
        long length = 0;
        long entry = 0;
        for (long at = stage2.skipUnmapped(0, end); at < end;
                at = stage2.skipUnmapped(at + PhysicalMemory.PAGE_SIZE, end)) {
            long here = stage2.lookup(at);
            if (length > 0 && (at != first + length || here != entry + length)) {
                text.run("pages", first, length, Stage2Table.pa(entry), entry ^ Stage2Table.pa(entry));
                length = 0;
            }
            if (here != 0) {
                first = length == 0 ? at : first;
                entry = length == 0 ? here : entry;
                length += PhysicalMemory.PAGE_SIZE;
            }
        }
        if (length > 0) {
            text.run("pages", first, length, Stage2Table.pa(entry), entry ^ Stage2Table.pa(entry));
        }
    }

    /** Registers who must hear of stale translations; the vCPU side calls it once per change of its vCPUs. */
    public void observers(StageTwoObservers newObservers) {
        observers = newObservers;
    }

    StageTwoObservers currentObservers() {
        return observers;
    }

    /** Counts a thread in. {@return NOMEM when too many are} The thread calls {@link #detachThread} at last. */
    public HypError attachThread() {
        if (threads.incrementAndGet() > MAX_THREADS) {
            threads.decrementAndGet();
            return HypError.NOMEM;
        }
        return HypError.OK;
    }

    /** Counts a thread out. */
    public void detachThread() {
        threads.decrementAndGet();
    }

    /** A vCPU of this address space was powered on for the first time. */
    public void vcpuMayRun() {
        liveVcpus.incrementAndGet();
    }

    /** A vCPU counted by {@link #vcpuMayRun} executes no instruction any more. */
    public void vcpuExited() {
        liveVcpus.decrementAndGet();
    }

    /** {@return whether guest code may still run here}; private pages stay locked only as long as it may. */
    public boolean isLive() {
        return liveVcpus.get() > 0;
    }

    /**
     * Writes entries for a page-aligned range below {@link Stage2Table#IPA_BITS}; what may be mapped is the caller's
     * business, who holds the memory lock.
     *
     * @param bits entry without address ({@link Stage2Table#entry}, {@link PageFlags})
     * @return a ticket for {@link #awaitSync}; in an address space that {@link #isBroken} nothing was mapped
     */
    public long install(long ipa, long pa, long size, long bits) {
        ReplySlot slot = ReplySlot.arm();
        actor.tell(new AddrspaceActor.Install(ipa, pa, size, bits, slot));
        return ticketOf(slot);
    }

    /** Clears the entries of the range that map the frames from {@code pa} on. {@return a ticket} */
    public long remove(long ipa, long pa, long size) {
        ReplySlot slot = ReplySlot.arm();
        actor.tell(new AddrspaceActor.Remove(ipa, pa, size, slot));
        return ticketOf(slot);
    }

    /**
     * When the actor breaks it is unknown what was written, so it withdraws everything: nothing is mapped from then on,
     * and records of mappings stay for whoever takes the frames back. If even that failed no frame may change its owner.
     */
    @Override
    protected void onBroken() {
        long end = 1L << Stage2Table.IPA_BITS;
        for (long at = stage2.skipUnmapped(0, end); at < end;
                at = stage2.skipUnmapped(at + PhysicalMemory.PAGE_SIZE, end)) {
            stage2.set(at, 0);
        }
        stage2.bumpEpoch();
        observers.requestSync();
        withdrawn = true;
    }

    private long ticketOf(ReplySlot slot) {
        HypError error = slot.await();
        if (error == HypError.OK) {
            return slot.first();
        }
        if (!withdrawn) {
            throw new IllegalStateException("addrspace-%d is out of use: %s".formatted(id(), error));
        }
        return ticket();
    }

    /** {@return the ticket of everything written till now} */
    public long ticket() {
        return Integer.toUnsignedLong(stage2.epoch()) | SYNC_NEEDED;
    }

    /** Lets private pages of the range be unmapped, and keeps their contents then if asked (modify_pages). */
    public HypError unlock(long ipa, long size, boolean keepContents) {
        ReplySlot slot = ReplySlot.arm();
        actor.tell(new AddrspaceActor.Unlock(ipa, size, keepContents, slot));
        return slot.await();
    }

    HypError configureRange(long ipa, long size, int op) {
        ReplySlot slot = ReplySlot.arm();
        actor.tell(new AddrspaceActor.ConfigureRange(ipa, size, op, slot));
        return slot.await();
    }

    /** Adds a device region. {@return OK, or BUSY when it overlaps another} */
    public HypError addVdevice(VdeviceRegion region) {
        ReplySlot slot = ReplySlot.arm();
        actor.tell(new AddrspaceActor.AttachVdevice(region, slot));
        return slot.await();
    }

    /** {@return the device that an access to this IPA reaches, or null} Any thread. */
    public VdeviceRegion vdevice(long ipa, int access) {
        for (VdeviceRegion region : vdevices) {
            if (region.contains(ipa)) {
                return region;
            }
        }
        return access == Access.W ? behindPage(ipa) : null;
    }

    /** {@return the device whose page is mapped there without the right to write} */
    private VdeviceRegion behindPage(long ipa) {
        long entry = stage2.lookup(ipa);
        if (!Stage2Table.isValid(entry) || Access.allows(Stage2Table.el1Access(entry), Access.W)) {
            return null;
        }
        MmioDevice device = pages.at(Stage2Table.pa(entry));
        return device == null ? null
                : new VdeviceRegion(ipa & -PhysicalMemory.PAGE_SIZE, PhysicalMemory.PAGE_SIZE, device);
    }

    /**
     * Classifies an access that missed stage 2. Any thread.
     *
     * @param size   bytes accessed
     * @param access rights wanted, {@link Access} bits, at EL1 or EL0 as {@code privileged} says
     */
    public FaultKind faultKind(long ipa, int size, int access, boolean privileged) {
        if (vdevice(ipa, access) != null) {
            return FaultKind.VDEVICE;
        }
        long entry = stage2.lookup(ipa);
        int rights = privileged ? Stage2Table.el1Access(entry) : Stage2Table.el0Access(entry);
        if (Stage2Table.isValid(entry) && Access.allows(rights, access)) {
            return FaultKind.MAPPED;
        }
        if (ranges.insideVmmio(ipa, size)) {
            return FaultKind.VMMIO;
        }
        return ranges.insidePrivate(ipa, 1) ? FaultKind.PRIVATE : FaultKind.NONE;
    }

    /** {@return whether the range lies wholly in one VMMIO range} */
    public boolean insideVmmio(long ipa, long size) {
        return ranges.insideVmmio(ipa, size);
    }

    /** {@return whether the range lies wholly in one PRIVATE range} */
    public boolean insidePrivate(long ipa, long size) {
        return ranges.insidePrivate(ipa, size);
    }

    /**
     * Waits until nobody can use a translation older than the ticket: every vCPU acknowledged or is outside guest
     * code, and no copy that may have seen it is under way. Never called from an actor that others wait for.
     *
     * @param ticket what a write answered; 0 = nothing to wait for
     */
    public void awaitSync(long ticket) {
        if ((ticket & SYNC_NEEDED) == 0) {
            return;
        }
        // a writer's turn comes only when the copies that began before it have ended
        copies.unlockWrite(copies.writeLock());
        int epoch = (int) ticket;
        for (int i = 0; !observers.synced(epoch); i++) {
            if (i < SYNC_SPINS) {
                Thread.onSpinWait();
            } else {
                LockSupport.parkNanos(this, SYNC_PARK_NS);
            }
        }
    }

    /**
     * Names the extent that describes the VM to itself, in INIT; holds a reference (addrspace_configure_info_area). At
     * activation it is cleared and becomes a page of the hypervisor; nothing is written to it, since no part of it is
     * defined for this platform.
     */
    public void infoArea(HypervisorPage extent) {
        extent.retain();
        HypervisorPage before = infoArea.getAndSet(extent);
        if (before != null) {
            before.release();
        }
    }

    /** Asks to be told when this address space goes, because mappings into it are recorded elsewhere. */
    public void remember(MappingOwner owner) {
        mappingOwners.add(owner);
    }

    /** Takes {@link #remember} back. */
    public void unremember(MappingOwner owner) {
        mappingOwners.remove(owner);
    }

    IpaRanges ranges() {
        return ranges;
    }

    void publish(IpaRanges newRanges) {
        ranges = newRanges;
    }

    HypError publish(VdeviceRegion region) {
        VdeviceRegion[] old = vdevices;
        for (VdeviceRegion other : old) {
            if (region.base() < other.base() + other.size() && other.base() < region.base() + region.size()) {
                return HypError.BUSY;
            }
        }
        VdeviceRegion[] grown = Arrays.copyOf(old, old.length + 1);
        grown[old.length] = region;
        vdevices = grown;
        return HypError.OK;
    }
}
