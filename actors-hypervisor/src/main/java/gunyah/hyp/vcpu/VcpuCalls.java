package gunyah.hyp.vcpu;

import static gunyah.hyp.HypercallArgument.RES0;
import static gunyah.hyp.HypercallArgument.RES1;
import static gunyah.hyp.HypercallArgument.U16;
import static gunyah.hyp.HypercallArgument.U32;
import static gunyah.hyp.HypercallArgument.VALUE;
import static gunyah.hyp.HypercallArgument.active;
import static gunyah.hyp.HypercallArgument.any;
import static gunyah.hyp.HypercallArgument.init;

import gunyah.hyp.CapResult;
import gunyah.hyp.Caller;
import gunyah.hyp.HypError;
import gunyah.hyp.HypercallArgument;
import gunyah.hyp.HypercallRow;
import gunyah.hyp.KernelObject;
import gunyah.hyp.ObjectType;
import gunyah.hyp.RequiredState;
import gunyah.hyp.Rights;
import gunyah.hyp.pcpu.Schedulable;
import gunyah.hyp.vic.Vic;
import java.util.List;

/** Hypercalls on threads and the scheduler (Gunyah hyp/interfaces/vcpu, vcpu_run, scheduler; vic_attach_vcpu). */
public final class VcpuCalls {
    private static final HypercallArgument INIT_VCPU = init(ObjectType.THREAD, Rights.OBJECT_ACTIVATE);
    private static final HypercallArgument VIC = active(ObjectType.VIC, Rights.VIC_BIND_SOURCE);
    private static final int HINT_YIELD = 0;
    private static final int HINT_YIELD_TO = 1;
    private static final long HINT_MASK = 0xFFFF;
    private static final int POWERON_KEEP_ENTRY = 1;
    private static final int POWERON_KEEP_CONTEXT = 2;
    private static final int POWEROFF_LAST = 1;
    private static final int VIRQ_HALT = 0;
    private static final int VIRQ_RUN_WAKEUP = 1;

    private VcpuCalls() {
    }

    /** {@return the rows} */
    public static List<HypercallRow> rows() {
        return List.of(
                HypercallRow.of(0x29, "vic_attach_vcpu", 0, (caller, vic, vcpu, x) ->
                        ((Vcpu) vcpu).attachVic((Vic) vic, x[2]),
                        active(ObjectType.VIC, Rights.VIC_ATTACH_VCPU), INIT_VCPU, VALUE, RES0)
                        .inputs("vic", "vcpu", "index")
                        .errors(HypError.ARGUMENT_INVALID, HypError.BUSY, HypError.OBJECT_STATE),
                HypercallRow.of(0x34, "vcpu_configure", 0, (caller, vcpu, none, x) ->
                        ((Vcpu) vcpu).configure(x[1]), INIT_VCPU, VALUE, RES0)
                        .inputs("vcpu", "options")
                        .errors(HypError.ARGUMENT_INVALID),
                HypercallRow.of(0x38, "vcpu_poweron", 0, (caller, vcpu, none, x) ->
                        powerOn((Vcpu) vcpu, x), vcpu(Rights.THREAD_POWER), VALUE, VALUE, U32)
                        .inputs("vcpu", "entry", "context", "flags")
                        .errors(HypError.ARGUMENT_INVALID, HypError.BUSY, HypError.FAILURE),
                HypercallRow.of(0x39, "vcpu_poweroff", 0, (caller, vcpu, none, x) ->
                        powerOff(caller, (Vcpu) vcpu, x[1]), vcpu(Rights.THREAD_POWER), U32)
                        .inputs("vcpu", "flags")
                        .errors(HypError.ARGUMENT_INVALID, HypError.DENIED)
                        .note("Success does not return."),
                HypercallRow.of(0x3A, "vcpu_kill", 0, (caller, vcpu, none, x) ->
                        vcpu.state() == KernelObject.State.ACTIVE ? ((Vcpu) vcpu).kill() : HypError.OBJECT_STATE,
                        any(ObjectType.THREAD, Rights.THREAD_LIFECYCLE), RES0)
                        .inputs("vcpu")
                        .errors(HypError.OBJECT_STATE),
                HypercallRow.of(0x3B, "scheduler_yield", 0, (caller, none, none2, x) ->
                        schedulerYield(caller, x[0], x[1]), U32, VALUE, RES0)
                        .inputs("control", "argument")
                        .errors(HypError.ARGUMENT_INVALID)
                        .note("Hint 1: the argument is a THREAD capability, YIELD_TO, active."),
                HypercallRow.of(0x3D, "vcpu_set_affinity", 0, (caller, vcpu, none, x) ->
                        setAffinity(caller, (Vcpu) vcpu, x[0], (int) x[1]),
                        any(ObjectType.THREAD, Rights.THREAD_AFFINITY), U16, RES1)
                        .inputs("vcpu", "cpu")
                        .errors(HypError.ARGUMENT_INVALID, HypError.DENIED, HypError.RETRY)
                        .note("CPU 0xFFFF (none) needs DISABLE too."),
                HypercallRow.of(0x46, "vcpu_set_priority", 0, (caller, vcpu, none, x) ->
                        ((Vcpu) vcpu).setPriority(x[1]), init(ObjectType.THREAD, Rights.THREAD_PRIORITY), U32)
                        .inputs("vcpu", "priority")
                        .errors(HypError.DENIED),
                HypercallRow.of(0x47, "vcpu_set_timeslice", 0, (caller, vcpu, none, x) ->
                        ((Vcpu) vcpu).setTimeslice(x[1]), init(ObjectType.THREAD, Rights.THREAD_TIMESLICE), VALUE)
                        .inputs("vcpu", "timeslice_ns")
                        .errors(HypError.ARGUMENT_INVALID),
                HypercallRow.of(0x5C, "vcpu_bind_virq", 0, (caller, vcpu, vic, x) ->
                        bindVirq((Vcpu) vcpu, (Vic) vic, (int) x[2], (int) x[3]),
                        vcpu(Rights.THREAD_BIND_VIRQ), VIC, U32, U32, RES0)
                        .inputs("vcpu", "vic", "virq_info", "type")
                        .errors(HypError.ARGUMENT_INVALID, HypError.VIRQ_BOUND, HypError.BUSY),
                HypercallRow.of(0x5D, "vcpu_unbind_virq", 0, (caller, vcpu, none, x) ->
                        unbindVirq((Vcpu) vcpu, (int) x[1]), vcpu(Rights.THREAD_BIND_VIRQ), U32, RES0)
                        .inputs("vcpu", "type")
                        .errors(HypError.ARGUMENT_INVALID),
                HypercallRow.of(0x64, "vcpu_register_write", 0, (caller, vcpu, none, x) ->
                        ((Vcpu) vcpu).writeRegister(x[1], x[2], x[3]),
                        any(ObjectType.THREAD, Rights.THREAD_WRITE_CONTEXT), U32, U32, VALUE, RES0)
                        .inputs("vcpu", "register_set", "index", "value")
                        .errors(HypError.ARGUMENT_INVALID, HypError.BUSY, HypError.OBJECT_STATE),
                HypercallRow.of(0x65, "vcpu_run", 4, (caller, vcpu, none, x) ->
                        run(caller, (Vcpu) vcpu, x),
                        vcpu(Rights.THREAD_AFFINITY | Rights.THREAD_YIELD_TO), VALUE, VALUE, VALUE, RES0)
                        .inputs("vcpu", "resume0", "resume1", "resume2").outputs("state", "data0", "data1", "data2")
                        .errors(HypError.BUSY, HypError.UNIMPLEMENTED, HypError.DENIED, HypError.FAILURE),
                HypercallRow.of(0x68, "vcpu_run_check", 4, (caller, vcpu, none, x) ->
                        ((Vcpu) vcpu).run().check(x), vcpu(Rights.THREAD_BIND_VIRQ | Rights.THREAD_STATE), RES0)
                        .inputs("vcpu").outputs("state", "data0", "data1", "data2")
                        .errors(HypError.BUSY));
    }

    /** Configures the root VM's vCPU at boot: pinned, critical, executing Java. */
    public static HypError configureRoot(Vcpu vcpu, Vic vic) {
        HypError error = vcpu.configure(VcpuOptions.ROOT);
        return error == HypError.OK ? vcpu.attachVic(vic, 0) : error;
    }

    private static HypercallArgument vcpu(int rights) {
        return active(ObjectType.THREAD, rights);
    }

    private static HypError powerOn(Vcpu vcpu, long[] x) {
        if ((x[3] & ~(POWERON_KEEP_ENTRY | POWERON_KEEP_CONTEXT)) != 0) {
            return HypError.ARGUMENT_INVALID;
        }
        return vcpu.powerOn(x[1], (x[3] & POWERON_KEEP_ENTRY) != 0, x[2], (x[3] & POWERON_KEEP_CONTEXT) != 0);
    }

    private static HypError powerOff(Caller caller, Vcpu vcpu, long flags) {
        if (caller.thread() != vcpu || (flags & ~POWEROFF_LAST) != 0) {
            return HypError.ARGUMENT_INVALID;
        }
        PowerGroup group = vcpu.group();
        boolean last = group != null && group.aggregates() && group.isLastOn(vcpu);
        if (last != ((flags & POWEROFF_LAST) != 0)) {
            return HypError.DENIED;
        }
        vcpu.power().off();
        return HypError.OK;
    }

    private static HypError schedulerYield(Caller caller, long control, long target) {
        if (!(caller.thread() instanceof Vcpu self) || (control & ~HINT_MASK) != 0) {
            return HypError.ARGUMENT_INVALID;
        }
        self.thread().requireOwnThread();
        switch ((int) control) {
            case HINT_YIELD -> {
                self.thread().yield();
                return HypError.OK;
            }
            case HINT_YIELD_TO -> {
                return yieldTo(caller, self, target);
            }
            default -> {
                return HypError.ARGUMENT_INVALID;
            }
        }
    }

    private static HypError yieldTo(Caller caller, Vcpu self, long cap) {
        CapResult found = caller.cspace().resolve(cap, ObjectType.THREAD, Rights.THREAD_YIELD_TO,
                RequiredState.ACTIVE);
        if (found instanceof HypError error) {
            return error;
        }
        Vcpu target = (Vcpu) found;
        try {
            if (target != self) {
                self.thread().yieldTo(target.thread());
            }
        } finally {
            target.release();
        }
        return HypError.OK;
    }

    private static HypError setAffinity(Caller caller, Vcpu vcpu, long cap, int cpu) {
        if (cpu == Schedulable.NO_CPU) {
            // Taking the last CPU away needs a right of its own.
            CapResult allowed = caller.cspace().resolve(cap, ObjectType.THREAD, Rights.THREAD_DISABLE,
                    RequiredState.ANY);
            if (allowed instanceof HypError error) {
                return error;
            }
            ((KernelObject) allowed).release();
        }
        return vcpu.setAffinityTo(cpu);
    }

    private static HypError bindVirq(Vcpu vcpu, Vic vic, int virq, int type) {
        return switch (type) {
            case VIRQ_HALT -> vic.bind(vcpu.haltLine(), virq);
            case VIRQ_RUN_WAKEUP -> vcpu.bindWakeup(vic, virq);
            default -> HypError.ARGUMENT_INVALID;
        };
    }

    private static HypError unbindVirq(Vcpu vcpu, int type) {
        switch (type) {
            case VIRQ_HALT -> vcpu.haltLine().unbind();
            case VIRQ_RUN_WAKEUP -> vcpu.wakeupLine().unbind();
            default -> {
                return HypError.ARGUMENT_INVALID;
            }
        }
        return HypError.OK;
    }

    private static HypError run(Caller caller, Vcpu vcpu, long[] x) {
        // Only a thread that has a physical CPU can lend it; a Java VM's workers outside its vCPUs cannot.
        if (!(caller.thread() instanceof Vcpu self)) {
            return HypError.DENIED;
        }
        if (self.thread().closed()) {
            // The machine stops: a host that only loops on READY must come out too.
            return HypError.FAILURE;
        }
        self.thread().requireOwnThread();
        return vcpu.run().run(self.thread(), x);
    }
}
