package gunyah.hyp.vpm;

import gunyah.hyp.Caller;
import gunyah.hyp.PsciHandler;
import gunyah.hyp.SmcccFunction;
import gunyah.hyp.vcpu.Machine;
import gunyah.hyp.vcpu.Vcpu;

/**
 * PSCI 1.1, platform coordinated, for vCPUs in a VPM group (Arm DEN0022; Gunyah hyp/vm/psci, hyp/vm/psci_pc). Whatever
 * is not in the subset, or called outside a group, is not supported. Stateless; any vCPU thread.
 */
public final class Psci implements PsciHandler {
    /** Affinity fields of an MPIDR. */
    static final long AFFINITY = 0xFF_00FF_FFFFL;

    private static final int SMC64 = 1 << 30;

    private static final long PSCI_1_1 = 0x1_0001;
    private static final long SUCCESS = 0;
    private static final long INVALID_PARAMETERS = -2;
    private static final long DENIED = -3;
    private static final long ALREADY_ON = -4;
    private static final long INTERNAL_FAILURE = -6;
    /** PSCI_FEATURES of CPU_SUSPEND: extended StateID format. */
    private static final long SUSPEND_FEATURES = 2;
    private static final long ON = 0;
    private static final long OFF = 1;

    private static final long STATE_TYPE_POWERDOWN = 1 << 16;
    /** Original format: power-down, deepest level. */
    private static final long DEEPEST_STATE = STATE_TYPE_POWERDOWN | 1;
    /** Reset kinds as vcpu_run reports them. */
    private static final long RESET_PLAIN = 1L << 63;
    private static final long RESET_SMC64 = 1L << 62;

    @Override
    public boolean call(Caller caller, int id, long[] x) {
        if (!(caller.thread() instanceof Vcpu vcpu)) {
            return false;
        }
        SmcccFunction function = SmcccFunction.of(id);
        VpmGroup group = (VpmGroup) vcpu.group();
        if (group == null) {
            boolean asksSmccc = function == SmcccFunction.PSCI_FEATURES
                    && (int) x[1] == SmcccFunction.SMCCC_VERSION.id();
            x[0] = asksSmccc ? SUCCESS : x[0];
            return asksSmccc;
        }
        if (!isPsci(function)) {
            return false;
        }
        boolean wide = (id & SMC64) != 0;
        long a = argument(x[1], wide);
        long b = argument(x[2], wide);
        long c = argument(x[3], wide);
        long result = switch (function) {
            case PSCI_VERSION -> PSCI_1_1;
            case PSCI_FEATURES -> features((int) x[1]);
            case CPU_ON -> cpuOn(vcpu, group, a, b, c);
            case CPU_OFF -> group.powerOff(vcpu) ? SUCCESS : DENIED;
            case AFFINITY_INFO -> affinityInfo(group, a, b);
            case CPU_SUSPEND -> suspend(vcpu, a, b, c);
            case CPU_DEFAULT_SUSPEND -> suspend(vcpu, DEEPEST_STATE, a, b);
            case PSCI_SET_SUSPEND_MODE -> a == 0 ? SUCCESS : INVALID_PARAMETERS;
            case SYSTEM_OFF -> systemOff(group, vcpu);
            case SYSTEM_RESET -> systemReset(group, vcpu, RESET_PLAIN, 0);
            default -> systemReset(group, vcpu, wide ? RESET_SMC64 | a & 0xFFFF_FFFFL : a, b);
        };
        x[0] = wide ? result : result & 0xFFFF_FFFFL;
        return true;
    }

    private static long argument(long register, boolean wide) {
        return wide ? register : register & 0xFFFF_FFFFL;
    }

    private static boolean isPsci(SmcccFunction function) {
        return function != null && function.service() == SmcccFunction.Service.PSCI;
    }

    private static long features(int id) {
        SmcccFunction function = SmcccFunction.of(id);
        if (function == SmcccFunction.CPU_SUSPEND) {
            return SUSPEND_FEATURES;
        }
        return isPsci(function) || function == SmcccFunction.SMCCC_VERSION ? SUCCESS : -1;
    }

    private static long cpuOn(Vcpu caller, VpmGroup group, long mpidr, long entry, long context) {
        Vcpu target = (mpidr & ~AFFINITY) == 0 ? group.member(mpidr) : null;
        if (target == null) {
            return caller.knowsMpidr(mpidr) ? INTERNAL_FAILURE : INVALID_PARAMETERS;
        }
        return switch (target.powerOn(entry, false, context, false)) {
            case OK -> SUCCESS;
            case BUSY -> ALREADY_ON;
            default -> INTERNAL_FAILURE;
        };
    }

    private static long affinityInfo(VpmGroup group, long mpidr, long level) {
        Vcpu target = level == 0 ? group.member(mpidr) : null;
        if (target == null) {
            return INVALID_PARAMETERS;
        }
        return target.power().isOff() ? OFF : ON;
    }

    private static long suspend(Vcpu vcpu, long state, long entry, long context) {
        if (vcpu.power().suspend(state) && (state & STATE_TYPE_POWERDOWN) != 0) {
            vcpu.power().resetOnWake(entry, context);
        }
        return SUCCESS;
    }

    private static long systemOff(VpmGroup group, Vcpu vcpu) {
        group.killOthers(vcpu);
        vcpu.power().halt();
        vcpu.power().machine(Machine.PowerEvent.OFF);
        return SUCCESS;
    }

    private static long systemReset(VpmGroup group, Vcpu vcpu, long type, long cookie) {
        vcpu.power().recordReset(type, cookie);
        group.killOthers(vcpu);
        vcpu.power().halt();
        vcpu.power().machine(Machine.PowerEvent.RESET);
        return SUCCESS;
    }
}
