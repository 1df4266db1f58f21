package gunyah.rm.vm;

import gunyah.hyp.HypError;
import gunyah.rm.root.Hypercalls;
import gunyah.rm.root.Hypercalls.VcpuCheck;
import gunyah.rm.root.Root;
import gunyah.rm.rpc.ExitType;
import gunyah.rm.rpc.VmExited;
import gunyah.rm.rpc.VmState;
import gunyah.rm.vm.GuestObjects.GuestVcpu;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends of VMs: why a vCPU halted, and killing all of them. A VM is EXITED only when none of its vCPUs will execute
 * another instruction (vm_mgnt.c, vm_config.c).
 */
public final class VmStop {
    private static final Logger LOG = LoggerFactory.getLogger(VmStop.class);
    private static final int HALT_CHECKS = 50;
    private static final int CHECKS_BEFORE_WARNING = 500;
    private static final int CODE_NORMAL = 0;
    private static final int CODE_SOFTWARE_ERROR = 1;
    static final int CODE_UNKNOWN = 2;

    private final Hypercalls hypercalls;
    private final Notices notices;
    private final Turns turns;
    private final Set<Vm> stopping = new HashSet<>();
    /** Why VMs end: what was known when that began, before vCPUs were killed. */
    private final Map<Vm, VmExited> reasons = new HashMap<>();

    public VmStop(Root root, Notices notices, Turns turns) {
        this.hypercalls = root.hypercalls();
        this.notices = notices;
        this.turns = turns;
    }

    /** {@return whether the VM runs and is not being stopped} */
    boolean canStop(Vm vm) {
        return vm.isIn(VmState.RUNNING, VmState.PAUSED) && !stopping.contains(vm);
    }

    /** Stops all vCPUs, moves the VM to EXITED, tells its owner, and then goes on with {@code done}. */
    void exit(Vm vm, VmExited reason, Runnable done) {
        stopping.add(vm);
        VmExited first = reasons.computeIfAbsent(vm, v -> reason);
        try {
            stopVcpus(vm, () -> exited(vm, first, done));
        } catch (RuntimeException defect) {
            // The VM is to be stopped by the next who asks.
            stopping.remove(vm);
            throw defect;
        }
    }

    private void exited(Vm vm, VmExited reason, Runnable done) {
        stopping.remove(vm);
        unlock(vm);
        reasons.remove(vm);
        if (vm.state != VmState.EXITED) {
            notices.move(vm, VmState.EXITED);
            notices.exited(vm, reason);
        }
        done.run();
    }

    // A guest locks its private pages for its life; from now on its owner takes them back.
    private void unlock(Vm vm) {
        vm.objects.ifPresent(objects -> objects.privateRanges()
                .forEach(range -> hypercalls.unlockPages(objects.addrspace(), range.base(), range.size())));
    }

    /** Kills all vCPUs and goes on with {@code done} when the last has exited, at once if it can. */
    void stopVcpus(Vm vm, Runnable done) {
        List<GuestVcpu> alive = vm.objects.map(GuestObjects::vcpus).orElse(List.of()).stream()
                .filter(vcpu -> hypercalls.kill(vcpu.cap()) == HypError.OK).toList();
        awaitExit(vm, alive, 0, done);
    }

    private void awaitExit(Vm vm, List<GuestVcpu> vcpus, int checks, Runnable done) {
        List<GuestVcpu> alive =
                vcpus.stream().filter(vcpu -> !hypercalls.runCheck(vcpu.cap()).hasExited()).toList();
        if (alive.isEmpty()) {
            done.run();
            return;
        }
        if (checks == CHECKS_BEFORE_WARNING) {
            LOG.warn("VM {} has {} vCPUs that do not end", vm.vmid, alive.size());
        }
        turns.later(() -> awaitExit(vm, alive, checks + 1, done));
    }

    /** The halt line of a vCPU fired. */
    void halted(Vm vm, GuestVcpu vcpu) {
        checkHalt(vm, vcpu, 0);
    }

    private void checkHalt(Vm vm, GuestVcpu vcpu, int checks) {
        if (!canStop(vm)) {
            return;
        }
        VcpuCheck check = hypercalls.runCheck(vcpu.cap());
        if (check.error() == HypError.BUSY && checks < HALT_CHECKS) {
            turns.later(() -> checkHalt(vm, vcpu, checks + 1));
            return;
        }
        reason(vm, check).ifPresentOrElse(reason -> exit(vm, reason, () -> { }),
                () -> LOG.debug("VM {} vCPU {} did not halt: {}", vm.vmid, vcpu.index(), check));
    }

    private static Optional<VmExited> reason(Vm vm, VcpuCheck check) {
        if (check.error() == HypError.BUSY) {
            return Optional.empty();
        }
        int code = vm.crashMessage.length > 0 ? CODE_SOFTWARE_ERROR : CODE_NORMAL;
        if (check.error() != HypError.OK) {
            return Optional.of(VmExited.of(vm.vmid, ExitType.SOFTWARE_ERROR, 0, CODE_UNKNOWN));
        }
        return switch ((int) check.state()) {
            case Hypercalls.POWERED_OFF -> Optional.of(VmExited.of(vm.vmid, ExitType.PLATFORM_OFF, 0, code));
            case Hypercalls.PSCI_SYSTEM_RESET -> Optional.of(reset(vm, check, code));
            case Hypercalls.FAULT -> Optional.of(VmExited.of(vm.vmid, ExitType.SOFTWARE_ERROR, 0, code));
            // A line that fired for the VM that had it before.
            default -> Optional.empty();
        };
    }

    // Bit 63 of the type: plain SYSTEM_RESET; bit 62: SYSTEM_RESET2 by the 64-bit call, else its cookie has 32 bits.
    private static VmExited reset(Vm vm, VcpuCheck check, int code) {
        if (check.data0() < 0) {
            return VmExited.of(vm.vmid, ExitType.PLATFORM_RESET, 0, code);
        }
        boolean wide = (check.data0() & 1L << 62) != 0;
        long cookie = wide ? check.data1() : check.data1() & 0xffff_ffffL;
        return VmExited.ofReset2(vm.vmid, wide ? VmExited.RESET2_SMC64 : 0, code, (int) check.data0(), cookie);
    }
}
