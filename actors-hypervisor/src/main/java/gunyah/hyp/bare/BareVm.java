package gunyah.hyp.bare;

import gunyah.hyp.HypercallPort;
import java.util.ArrayList;
import java.util.List;

/**
 * A VM made through the root port, as the Resource Manager makes one. All capabilities are numbers in the root VM's
 * cspace.
 */
public final class BareVm {
    /** For a figure of a {@link VcpuSpec} that is left as the hypervisor made it. */
    public static final int DEFAULT = -1;
    /** Where the interrupt controller is, if the VM has its registers. */
    public static final long GICD = 0x0800_0000L;
    /** Where the redistributors are, one after the other. */
    public static final long GICR = 0x080A_0000L;
    /** VM group flag: no aggregation of power states. */
    public static final int NO_AGGREGATION = 1;

    private static final long GICD_BYTES = 0x1_0000;
    private static final long GICR_BYTES = 0x2_0000;
    private static final long PROXY_SCHEDULED = 1 << 9;
    private static final long RWX = 7;
    private static final long MAP_RWX = 0xF_0077;
    private static final int PARTIAL = 1;

    /**
     * How one vCPU is configured.
     *
     * @param options     of vcpu_configure
     * @param cpu         physical CPU, or {@link #DEFAULT}: none
     * @param priority    or {@link #DEFAULT}
     * @param timesliceNs or {@link #DEFAULT}
     */
    public record VcpuSpec(long options, int cpu, int priority, long timesliceNs) {
        /** {@return a vCPU that the hypervisor schedules} */
        public static VcpuSpec on(int cpu) {
            return new VcpuSpec(0, cpu, DEFAULT, DEFAULT);
        }

        /** {@return a vCPU that runs by vcpu_run} */
        public static VcpuSpec proxied() {
            return new VcpuSpec(PROXY_SCHEDULED, DEFAULT, 0, 100_000);
        }

        public VcpuSpec timeslice(long newTimesliceNs) {
            return new VcpuSpec(options, cpu, priority, newTimesliceNs);
        }

        public VcpuSpec priority(int newPriority) {
            return new VcpuSpec(options, cpu, newPriority, timesliceNs);
        }
    }

    private final BareMachine machine;
    private final int vmid;
    private final List<Long> cspaces = new ArrayList<>();
    private final long addrspace;
    private final long vic;
    private final long group;
    private final List<Long> vcpus = new ArrayList<>();

    private BareVm(Builder plan) {
        machine = plan.machine;
        vmid = plan.vmid;
        addrspace = machine.newAddrspace(vmid);
        cspaces.add(machine.newCspace(plan.caps));
        vic = machine.create(0x0A);
        machine.call(0x28, vic, plan.vcpus.size(), plan.virqs, plan.gic ? 2 : 0, 0);
        machine.call(0x67, vic, 0x7FFF, 0, 8, 16, 24, 0);
        machine.activate(vic);
        if (plan.gic) {
            machine.call(0x62, addrspace, vic, 0, GICD, GICD_BYTES, 0);
        }
        group = plan.groupFlags == DEFAULT ? DEFAULT : machine.create(0x0B);
        if (group != DEFAULT) {
            machine.call(0x66, group, plan.groupFlags);
            machine.activate(group);
        }
        for (VcpuSpec spec : plan.vcpus) {
            if (plan.cspaceEach && !vcpus.isEmpty()) {
                cspaces.add(machine.newCspace(plan.caps));
            }
            vcpus.add(newVcpu(spec, vcpus.size(), plan.gic));
        }
    }

    private long newVcpu(VcpuSpec spec, int index, boolean gic) {
        long vcpu = machine.create(0x05);
        machine.call(0x34, vcpu, spec.options);
        if (spec.priority != DEFAULT) {
            machine.call(0x46, vcpu, spec.priority);
        }
        if (spec.timesliceNs != DEFAULT) {
            machine.call(0x47, vcpu, spec.timesliceNs);
        }
        if (spec.cpu != DEFAULT) {
            machine.call(0x3D, vcpu, spec.cpu, -1);
        }
        machine.call(0x3E, cspaces.getLast(), vcpu);
        machine.call(0x2A, addrspace, vcpu);
        machine.call(0x29, vic, vcpu, index);
        if (group != DEFAULT) {
            machine.call(0x3C, group, vcpu, index);
        }
        if (gic) {
            machine.call(0x62, addrspace, vic, index + 1L, GICR + GICR_BYTES * index, GICR_BYTES, 0);
        }
        machine.activate(vcpu);
        return vcpu;
    }

    public int vmid() {
        return vmid;
    }

    /** {@return its cspace, that of the first vCPU if each has its own} */
    public long cspace() {
        return cspaces.getFirst();
    }

    /** {@return the cspace of a vCPU} */
    public long cspace(int index) {
        return cspaces.get(Math.min(index, cspaces.size() - 1));
    }

    public long addrspace() {
        return addrspace;
    }

    public long vic() {
        return vic;
    }

    /** {@return its VPM group, or {@link #DEFAULT}} */
    public long group() {
        return group;
    }

    public long vcpu(int index) {
        return vcpus.get(index);
    }

    public int vcpuCount() {
        return vcpus.size();
    }

    /** {@return the number that the VM knows a root capability by, which it gets here} */
    public long grant(long cap) {
        return machine.grant(cap, cspace());
    }

    public void powerOn(int index, long entry, long context) {
        machine.call(0x38, vcpu(index), entry, context, 0);
    }

    /** Maps memory of the root extent, readable, writable and executable. */
    public void map(long ipa, long pa, long size) {
        machine.call(0x2B, addrspace, machine.env().memextentCap(), ipa, MAP_RWX, PARTIAL, pa, size);
    }

    /** Takes {@link #map} back. */
    public void unmap(long ipa, long pa, long size) {
        machine.call(0x2C, addrspace, machine.env().memextentCap(), ipa, PARTIAL, pa, size);
    }

    /** Maps memory as {@link #map} does, which from now on belongs to an extent of its own. {@return the extent} */
    public long own(long ipa, long pa, long size) {
        long extent = machine.create(0x04);
        machine.call(0x32, extent, machine.env().memextentCap(), pa, size, RWX);
        machine.activate(extent);
        machine.call(0x2B, addrspace, extent, ipa, MAP_RWX, 0, 0, 0);
        return extent;
    }

    /** Ends every vCPU for good. */
    public void kill() {
        vcpus.forEach(vcpu -> machine.call(0x3A, vcpu));
    }

    /**
     * vcpu_run by a vCPU of the primary VM, again while the answer is READY.
     *
     * @param port   of that vCPU, on its thread
     * @param cap    the vCPU in the primary VM's cspace
     * @param resume r0, r1, r2
     * @return error, state and data
     */
    public static long[] run(HypercallPort port, long cap, long... resume) {
        long[] x = new long[8];
        x[0] = cap;
        System.arraycopy(resume, 0, x, 1, resume.length);
        port.call(0x65, x);
        while (x[0] == 0 && x[1] == 0) {
            x[0] = cap;
            port.call(0x65, x);
        }
        return x;
    }

    /** What a VM is to be like: by default no interrupt, no vCPU, no memory, room for 64 capabilities. */
    public static final class Builder {
        private final BareMachine machine;
        private final int vmid;
        private final List<VcpuSpec> vcpus = new ArrayList<>();
        private int caps = 64;
        private int virqs;
        private boolean gic;
        private boolean cspaceEach;
        private int groupFlags = DEFAULT;

        Builder(BareMachine machine, int vmid) {
            this.machine = machine;
            this.vmid = vmid;
        }

        public Builder caps(int maxCaps) {
            caps = maxCaps;
            return this;
        }

        /** Every vCPU has a cspace of its own; by default they share one, as in all VMs of the Resource Manager. */
        public Builder cspaceEach() {
            cspaceEach = true;
            return this;
        }

        /** Room for so many shared interrupts. */
        public Builder virqs(int count) {
            virqs = count;
            return this;
        }

        /** Shared interrupts, and the controller's registers at {@link #GICD} and {@link #GICR}. */
        public Builder gic(int interrupts) {
            gic = true;
            return virqs(interrupts);
        }

        /** Puts the vCPUs into a VPM group, for PSCI. */
        public Builder group(int flags) {
            groupFlags = flags;
            return this;
        }

        /** One more vCPU. */
        public Builder vcpu(VcpuSpec spec) {
            vcpus.add(spec);
            return this;
        }

        public BareVm build() {
            return new BareVm(this);
        }
    }
}
