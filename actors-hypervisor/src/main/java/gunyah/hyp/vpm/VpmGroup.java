package gunyah.hyp.vpm;

import gunyah.hyp.HypError;
import gunyah.hyp.KernelObject;
import gunyah.hyp.ObjectType;
import gunyah.hyp.StateText;
import gunyah.hyp.VirqController;
import gunyah.hyp.VirqSource;
import gunyah.hyp.vcpu.PowerGroup;
import gunyah.hyp.vcpu.Vcpu;

/** The vCPUs that share one power domain: a VM as PSCI sees it. Thread safe. */
public final class VpmGroup extends KernelObject implements PowerGroup {
    /** vpm_group_get_state: some vCPU runs. */
    static final int RUNNING = 1;
    /** vpm_group_get_state: all vCPUs are off or suspended. */
    static final int CPUS_SUSPENDED = 2;

    private static final int MAX_VCPUS = 64;
    private static final long NO_AGGREGATION = 1;

    private final Vcpu[] members = new Vcpu[MAX_VCPUS];
    private final VirqSource stateLine = new StateLine();
    private boolean aggregates = true;

    public VpmGroup(int id) {
        super(ObjectType.VPM_GROUP, id);
    }

    /** vpm_group_configure, in INIT. {@return UNIMPLEMENTED for unknown flags} */
    HypError configure(long flags) {
        if ((flags & ~NO_AGGREGATION) != 0) {
            return HypError.UNIMPLEMENTED;
        }
        aggregates = (flags & NO_AGGREGATION) == 0;
        return HypError.OK;
    }

    @Override
    protected synchronized void describe(StateText text) {
        text.put("aggregates", aggregates).put("state", stateLine);
        for (int index = 0; index < MAX_VCPUS; index++) {
            if (members[index] != null) {
                text.put("vcpu." + index, members[index]);
            }
        }
    }

    @Override
    protected HypError onActivate() {
        return HypError.OK;
    }

    @Override
    protected void onDestroy() {
        unbind();
    }

    /** {@return OK; ARGUMENT_INVALID for a bad slot, BUSY for a taken one; what {@link Vcpu#joinGroup} says} */
    HypError attach(Vcpu vcpu, long index) {
        if (index < 0 || index >= MAX_VCPUS) {
            return HypError.ARGUMENT_INVALID;
        }
        synchronized (this) {
            if (members[(int) index] != null) {
                return HypError.BUSY;
            }
            HypError error = vcpu.joinGroup(this, (int) index);
            if (error == HypError.OK) {
                members[(int) index] = vcpu;
                retain();
            }
            return error;
        }
    }

    @Override
    public void left(Vcpu vcpu) {
        synchronized (this) {
            members[vcpu.groupIndex()] = null;
        }
        release();
    }

    @Override
    public boolean aggregates() {
        return aggregates;
    }

    @Override
    public synchronized boolean isLastOn(Vcpu vcpu) {
        for (Vcpu member : members) {
            if (member != null && member != vcpu && !member.power().isOff()) {
                return false;
            }
        }
        return true;
    }

    /**
     * CPU_OFF: two vCPUs that go off at once are told apart by the lock, so the last of an aggregating group is denied.
     *
     * @return false when denied
     */
    synchronized boolean powerOff(Vcpu vcpu) {
        if (aggregates && isLastOn(vcpu)) {
            return false;
        }
        vcpu.power().off();
        return true;
    }

    /** {@return the vCPU of this affinity, or null} */
    synchronized Vcpu member(long mpidr) {
        for (Vcpu member : members) {
            if (member != null && (member.mpidrValue() & Psci.AFFINITY) == mpidr) {
                return member;
            }
        }
        return null;
    }

    /** Kills every vCPU but {@code caller}. */
    void killOthers(Vcpu caller) {
        Vcpu[] all;
        synchronized (this) {
            all = members.clone();
        }
        for (Vcpu member : all) {
            if (member != null && member != caller) {
                member.kill();
            }
        }
    }

    HypError bind(VirqController vic, int virq) {
        return vic.bind(stateLine, virq);
    }

    /** Idempotent. */
    HypError unbind() {
        VirqController vic = stateLine.boundController();
        if (vic != null) {
            vic.unbind(stateLine);
        }
        return HypError.OK;
    }

    synchronized int powerState() {
        for (Vcpu member : members) {
            if (member != null && !member.power().isOff() && !member.power().isSuspended()) {
                return RUNNING;
            }
        }
        return CPUS_SUSPENDED;
    }

    /** Bound but never asserted: the platform coordinates power states, there is nothing to tell. */
    private static final class StateLine extends VirqSource {
        @Override
        public boolean checkPending(boolean reasserted) {
            return false;
        }
    }
}
