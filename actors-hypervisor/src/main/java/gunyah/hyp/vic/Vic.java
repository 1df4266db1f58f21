package gunyah.hyp.vic;

import gunyah.hyp.HypError;
import gunyah.hyp.KernelObject;
import gunyah.hyp.ObjectType;
import gunyah.hyp.StateText;
import gunyah.hyp.VirqController;
import gunyah.hyp.VirqSource;
import gunyah.hyp.addrspace.Addrspace;
import gunyah.hyp.addrspace.MmioDevice;
import gunyah.hyp.addrspace.VdeviceRegion;
import gunyah.hyp.addrspace.VdeviceSource;
import gunyah.hyp.trace.TraceSink;
import java.util.BitSet;
import java.util.function.IntConsumer;

/**
 * A VM's virtual interrupt controller as a kernel object: its configuration and who is attached. The parts of the GIC
 * are objects of their own: {@link Distributor}, {@link Redistributor}, {@link CpuInterface}, the bound
 * {@link VirqSources}; {@link Delivery} has the one lock that guards them.
 */
public final class Vic extends KernelObject implements VirqController, VdeviceSource {
    /** Most vCPUs of one VM. */
    public static final int MAX_VCPUS = 64;
    /** SPIs 32..1019. */
    public static final int MAX_SPIS = 988;
    /** Extended SPIs 4096..5119, which a controller has when it is configured for more than {@link #MAX_SPIS}. */
    public static final int MAX_EXTENDED_SPIS = 1024;

    private static final int OPTION_MSIS_VALID = 1;
    private static final int OPTION_NO_DEFAULT_ADDRESS = 1 << 1;
    private static final int FLAG_LAST_VALID = 1;
    private static final int FLAG_LAST = 1 << 1;

    private final Delivery delivery = new Delivery();
    private final JavaInterrupts java = new JavaInterrupts();
    private final VirqSources sources;
    private MpidrMapping mapping = MpidrMapping.LINEAR;
    private int maxVcpus;
    private int maxVirqs;
    private Distributor distributor;
    private IccAccess registers;

    /** @param trace null for none */
    public Vic(int id, TraceSink trace) {
        super(ObjectType.VIC, id);
        sources = new VirqSources(this, delivery, java, trace);
    }

    /** vic_configure: OK, or ARGUMENT_INVALID. In INIT. */
    public HypError configure(long vcpus, long virqs, long options, long msis) {
        if ((options & ~(OPTION_MSIS_VALID | OPTION_NO_DEFAULT_ADDRESS)) != 0 || vcpus < 1 || vcpus > MAX_VCPUS
                || virqs < 0 || virqs > MAX_SPIS + MAX_EXTENDED_SPIS
                || (options & OPTION_MSIS_VALID) != 0 && msis != 0) {
            return HypError.ARGUMENT_INVALID;
        }
        maxVcpus = (int) vcpus;
        maxVirqs = (int) virqs;
        return HypError.OK;
    }

    /** vgic_set_mpidr_mapping; in INIT. */
    public HypError mapMpidr(long mask, long shift0, long shift1, long shift2, long shift3, long multiThread) {
        if (mask >>> 32 != 0 || shift0 > 31 || shift1 > 31 || shift2 > 31 || shift3 > 31 || multiThread > 1
                || (shift0 | shift1 | shift2 | shift3 | multiThread) < 0) {
            return HypError.ARGUMENT_INVALID;
        }
        int shifts = (int) (shift0 | shift1 << 8 | shift2 << 16 | shift3 << 24);
        mapping = new MpidrMapping((int) mask, shifts, multiThread == 1);
        return HypError.OK;
    }

    @Override
    protected void describe(StateText text) {
        delivery.begin();
        try {
            text.put("vcpus.max", maxVcpus).put("virqs.max", maxVirqs).put("mapping", mapping.toString());
            java.describe(text);
            if (distributor != null) {
                distributor.describe(text);
            }
            for (int index = 0; index < maxVcpus; index++) {
                CpuInterface cpu = delivery.cpu(index);
                if (cpu != null) {
                    text.put("cpu", index);
                    cpu.describe(text);
                }
            }
        } finally {
            delivery.end();
        }
    }

    @Override
    protected HypError onActivate() {
        if (maxVcpus == 0) {
            return HypError.OBJECT_CONFIG;
        }
        distributor = new Distributor(new Intids(maxVirqs), mapping, delivery);
        sources.distributor(distributor);
        registers = new IccAccess(distributor, mapping, sources, delivery);
        return HypError.OK;
    }

    @Override
    protected void onDestroy() {
        if (distributor != null) {
            sources.unbindAll();
        }
    }

    // Attachments.

    /**
     * Makes a vCPU the {@code index}-th of this controller.
     *
     * @return OK, ARGUMENT_INVALID for an index out of range, BUSY when it is taken
     */
    public HypError attach(VicTarget target, int index) {
        if (index < 0 || index >= maxVcpus) {
            return HypError.ARGUMENT_INVALID;
        }
        delivery.begin();
        try {
            if (delivery.cpu(index) != null) {
                return HypError.BUSY;
            }
            delivery.cpu(index, new CpuInterface(index, target, distributor));
            distributor.routeAll();
        } finally {
            delivery.end();
        }
        target.mpidr(mapping.mpidr(index));
        return HypError.OK;
    }

    /** Takes a vCPU away; its private sources must be unbound. */
    public void detach(int index) {
        delivery.begin();
        try {
            delivery.cpu(index, null);
            distributor.routeAll();
            delivery.signalAll();
        } finally {
            delivery.end();
        }
    }

    @Override
    public HypError attachVdevice(Addrspace addrspace, long index, long base, long size, long flags) {
        boolean isDistributor = index == 0;
        long known = isDistributor ? 0 : FLAG_LAST_VALID | FLAG_LAST;
        if (index < 0 || index > maxVcpus || (flags & ~known) != 0) {
            return HypError.ARGUMENT_INVALID;
        }
        if (size != (isDistributor ? DistributorFrame.SIZE : RedistributorFrame.SIZE)) {
            return HypError.ARGUMENT_SIZE;
        }
        CpuInterface cpu = isDistributor ? null : delivery.cpu((int) index - 1);
        if (!isDistributor && cpu == null) {
            return HypError.IDLE;
        }
        if (!claimFrame(cpu, true)) {
            return HypError.BUSY;
        }
        HypError error = addrspace.addVdevice(new VdeviceRegion(base, size, frame((int) index)));
        if (error != HypError.OK) {
            claimFrame(cpu, false);
        } else if ((flags & FLAG_LAST_VALID) != 0) {
            cpu.redistributor.last = (flags & FLAG_LAST) != 0;
        }
        return error;
    }

    /** Notes that a frame is attached, or not: the distributor's for null. {@return false when it was so before} */
    private boolean claimFrame(CpuInterface cpu, boolean framed) {
        delivery.begin();
        try {
            boolean before = cpu == null ? distributor.framed : cpu.redistributor.framed;
            if (cpu == null) {
                distributor.framed = framed;
            } else {
                cpu.redistributor.framed = framed;
            }
            return before != framed;
        } finally {
            delivery.end();
        }
    }

    /** {@return GICD for 0, GICR of vCPU n - 1 for n; null when that is not attached} */
    MmioDevice frame(int index) {
        if (index == 0) {
            return new DistributorFrame(distributor, sources, delivery);
        }
        CpuInterface cpu = delivery.cpu(index - 1);
        return cpu == null ? null : new RedistributorFrame(cpu, mapping, sources, delivery);
    }

    /** {@return whether some index of this controller has these affinity fields, as in MPIDR_EL1} */
    public boolean knowsAffinity(long affinity) {
        for (int index = 0; index < maxVcpus; index++) {
            if (mapping.affinityBits(index) == affinity) {
                return true;
            }
        }
        return false;
    }

    // Java VMs.

    /** Turns the controller into that of a Java VM. Pending and future interrupts go to the handler given later. */
    public void becomeJava() {
        delivery.begin();
        try {
            java.use();
        } finally {
            delivery.end();
        }
    }

    /** Java VM: {@code newHandler} gets the INTID of every interrupt, on the asserting thread, without locks. */
    public void deliverTo(IntConsumer newHandler) {
        BitSet late;
        delivery.begin();
        try {
            late = java.handler(newHandler);
        } finally {
            delivery.end();
        }
        late.stream().forEach(slot -> newHandler.accept(Intids.intid(slot)));
    }

    // Sources.

    @Override
    public HypError bind(VirqSource source, int virq) {
        return sources.bind(source, virq);
    }

    /** Binds a private source (a timer) of a vCPU. {@return as {@link #bind}} */
    public HypError bindPrivate(VirqSource source, int index, int ppi) {
        return sources.bindPrivate(source, index, ppi);
    }

    @Override
    public void unbind(VirqSource source) {
        sources.unbind(source);
    }

    @Override
    public void assertSource(VirqSource source, boolean edgeOnly) {
        sources.assertSource(source, edgeOnly);
    }

    @Override
    public void clearSource(VirqSource source) {
        sources.clearSource(source);
    }

    // CPU interface registers, on the vCPU's own thread.

    /** {@return whether the CPU interface has the register of this key for reading or writing} */
    public static boolean hasIcc(int key, boolean write) {
        IccRegister register = IccRegister.of(key);
        return register != null && register.allows(write);
    }

    /** Reads a register that {@link #hasIcc} accepts, for the vCPU of this index. */
    public long readIcc(int index, int key) {
        return registers.read(index, IccRegister.of(key));
    }

    /** Writes a register that {@link #hasIcc} accepts, for the vCPU of this index. */
    public void writeIcc(int index, int key, long value) {
        registers.write(index, IccRegister.of(key), value);
    }

    /** Warm reset of a vCPU's CPU interface (power off, reset). */
    public void resetCpuInterface(int index) {
        registers.reset(index);
    }

    /** {@return interrupts that the vCPU acknowledged; for a Java VM those handed over, counted at vCPU 0} */
    public long delivered(int index) {
        CpuInterface cpu = delivery.cpu(index);
        return cpu == null ? 0 : cpu.acknowledged() + (index == 0 ? java.handedOver() : 0);
    }
}
