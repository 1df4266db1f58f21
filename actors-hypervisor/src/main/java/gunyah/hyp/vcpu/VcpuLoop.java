package gunyah.hyp.vcpu;

import gunyah.arm64.state.CpuExit;
import gunyah.hyp.Caller;
import gunyah.hyp.Smccc;
import gunyah.hyp.addrspace.Addrspace;
import gunyah.hyp.addrspace.FaultKind;
import gunyah.hyp.addrspace.VdeviceRegion;
import gunyah.hyp.pcpu.PcpuActor.Reason;
import gunyah.hyp.trace.TraceSink;
import gunyah.memory.Access;

/**
 * Executes a vCPU for one grant and deals with its exits, on the thread that has it: hypercalls, stage-2 faults in the order of
 * Gunyah (hyp/mem/addrspace vmmio), WFI, pre-emption.
 */
final class VcpuLoop {
    private static final int NATIVE_FIRST = 0x6000;
    private static final int NATIVE_END = 0x6200;
    private static final long PAGE_MASK = -4096;

    private final Vcpu vcpu;
    private final VcpuEngine engine;
    private final VcpuCounters counters;
    private final Addrspace addrspace;
    private final VcpuRun run;
    /** Null when nobody listens. */
    private final TraceSink trace;
    /** What a hypercall on the proxy's thread began with, if it has to be made anew. */
    private final long[] inputs = new long[8];
    /** A hypercall of the last exit is still to be made, on the vCPU's own thread. */
    private boolean postponed;

    VcpuLoop(Vcpu vcpu) {
        this.vcpu = vcpu;
        this.engine = vcpu.engine();
        this.counters = vcpu.counters();
        this.addrspace = vcpu.addrspace();
        this.run = vcpu.run();
        this.trace = vcpu.machine().trace();
    }

    /** {@return why the grant ends} */
    Reason execute() {
        if (!vcpu.life().beginExecution()) {
            return Reason.BLOCKED;
        }
        counters.runs++;
        try {
            vcpu.timers().evaluate();
            Reason reason = null;
            while (reason == null) {
                reason = vcpu.life().killed() || vcpu.blocks().bits() != 0 ? Reason.BLOCKED : executeOnce();
            }
            return reason;
        } finally {
            vcpu.life().endExecution();
        }
    }

    /** {@return whether the last run ended with something that its proxy answers at once} */
    boolean expectsResume() {
        return (vcpu.blocks().bits() & (Block.VMMIO.bit() | Block.PAGE_FAULT.bit())) != 0;
    }

    /** {@return whether the last run ended with WFI} */
    boolean isIdle() {
        return vcpu.blocks().has(Block.WFI);
    }

    /** {@return null to go on} */
    private Reason executeOnce() {
        boolean again = !vcpu.life().applyReset(engine) && postponed;
        postponed = false;
        CpuExit.Kind kind = again ? CpuExit.Kind.HYPERCALL : engine.run();
        CpuExit exit = engine.exit();
        switch (kind) {
            case HYPERCALL -> onHypercall(exit);
            case STAGE2_FAULT -> onStage2Fault(exit);
            case WFI -> onIdle();
            case PREEMPTED -> {
                return Reason.PREEMPTED;
            }
            // Hardware would idle in it until another CPU sends the event: that one may be waiting for this slice.
            case WFE -> {
                return Reason.YIELDED;
            }
            // Gunyah's debug builds see it for aborts at VBAR + 0x200 (hyp/vm/vcpu exception_inject); hardware spins.
            case EXCEPTION_LOOP -> vcpu.life().fault(engine.exceptionLoop());
            case BUDGET, DEBUG -> { }
        }
        return postponed ? Reason.YIELDED : null;
    }

    private void onIdle() {
        vcpu.exitLog().add(CpuExit.Kind.WFI, engine.pc(), 0);
        if (trace != null) {
            trace.idle(addrspace.vmid(), vcpu.index(), engine.pc());
        }
        vcpu.power().waitFor(Block.WFI);
    }

    private void onHypercall(CpuExit exit) {
        long[] x = engine.x();
        if (!vcpu.thread().isHosted()) {
            makeHypercall(exit, x);
            return;
        }
        System.arraycopy(x, 0, inputs, 0, inputs.length);
        try {
            makeHypercall(exit, x);
        } catch (OwnThreadNeeded needed) {
            System.arraycopy(inputs, 0, x, 0, inputs.length);
            postponed = true;
        }
    }

    private void makeHypercall(CpuExit exit, long[] x) {
        long pc = engine.pc();
        int immediate = exit.immediate;
        long function = immediate == 0 ? x[0] : immediate;
        vcpu.exitLog().add(CpuExit.Kind.HYPERCALL, pc, function);
        dispatch(exit, x);
        counters.hypercalls++;
        if (trace != null) {
            trace.hypercall(addrspace.vmid(), vcpu.index(), pc, function & 0xFFFF_FFFFL, immediate != 0, x[0]);
        }
    }

    private void dispatch(CpuExit exit, long[] x) {
        Caller caller = engine.caller();
        if (exit.immediate == 0) {
            vcpu.machine().smccc().call(caller, x);
        } else if (!exit.smc && exit.immediate >= NATIVE_FIRST && exit.immediate < NATIVE_END) {
            vcpu.machine().table().call(caller, exit.immediate - NATIVE_FIRST, x);
            x[9] = engine.pc();
            for (int i = 10; i <= 17; i++) {
                x[i] = 0;
            }
        } else {
            x[0] = -1;
        }
    }

    private void onStage2Fault(CpuExit exit) {
        counters.stage2Faults++;
        long pc = engine.pc();
        long ipa = exit.faultIpa;
        int access = exit.access;
        vcpu.exitLog().add(CpuExit.Kind.STAGE2_FAULT, pc, ipa);
        TraceSink.Fault fault = resolve(exit);
        if (trace != null) {
            trace.stage2Fault(addrspace.vmid(), vcpu.index(), pc, ipa, access, fault);
        }
    }

    private TraceSink.Fault resolve(CpuExit exit) {
        int size = exit.isv ? 1 << exit.sizeLog2 : 1;
        FaultKind kind = addrspace.faultKind(exit.faultIpa, size, exit.access, exit.el != 0);
        return switch (kind) {
            case VDEVICE -> onVdevice(exit);
            case MAPPED -> TraceSink.Fault.RETRY;
            case VMMIO -> exit.isv && !exit.mapped && !exit.walk && exit.access != Access.X ? reportVmmio(exit, size)
                    : reportPageFault(exit);
            case PRIVATE -> reportPageFault(exit);
            case NONE -> injectAbort();
        };
    }

    private TraceSink.Fault onVdevice(CpuExit exit) {
        VdeviceRegion region = addrspace.vdevice(exit.faultIpa, exit.access);
        if (region == null) {
            // its page was mapped elsewhere meanwhile
            return TraceSink.Fault.RETRY;
        }
        int size = 1 << exit.sizeLog2;
        if (!exit.isv || exit.walk || (exit.faultIpa & size - 1) != 0) {
            return injectAbort();
        }
        counters.vdeviceAccesses++;
        long offset = exit.faultIpa - region.base();
        if (!region.device().accepts(offset, size)) {
            return injectAbort();
        }
        if (exit.access == Access.W) {
            if (!region.device().write(vcpu.index(), offset, size, exit.writeValue)) {
                return injectAbort();
            }
            engine.completeMmioWrite();
        } else {
            engine.completeMmioRead(region.device().read(vcpu.index(), offset, size));
        }
        return TraceSink.Fault.VDEVICE;
    }

    private TraceSink.Fault reportVmmio(CpuExit exit, int size) {
        if (!vcpu.options().proxyScheduled()) {
            return injectAbort();
        }
        counters.vmmioExits++;
        run.vmmio(exit.access == Access.W, exit.faultIpa, size, exit.writeValue);
        vcpu.blocks().block(Block.VMMIO);
        return TraceSink.Fault.VMMIO;
    }

    private TraceSink.Fault reportPageFault(CpuExit exit) {
        if (!vcpu.options().proxyScheduled()) {
            return injectAbort();
        }
        counters.pageFaultExits++;
        int access = exit.access == Access.X ? 2 : exit.access == Access.W ? 1 : 0;
        run.pageFault(exit.faultIpa & PAGE_MASK, access, exit.mapped);
        vcpu.blocks().block(Block.PAGE_FAULT);
        return TraceSink.Fault.PAGE_FAULT;
    }

    private TraceSink.Fault injectAbort() {
        counters.injectedAborts++;
        engine.injectExternalAbort();
        return TraceSink.Fault.ABORT;
    }
}
