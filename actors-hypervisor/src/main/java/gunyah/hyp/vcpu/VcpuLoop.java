package gunyah.hyp.vcpu;

import gunyah.arm64.state.CpuExit;
import gunyah.hyp.Caller;
import gunyah.hyp.addrspace.Addrspace;
import gunyah.hyp.addrspace.FaultKind;
import gunyah.hyp.addrspace.VdeviceRegion;
import gunyah.hyp.pcpu.PcpuActor.Reason;
import gunyah.memory.Access;

/**
 * Executes a vCPU for one grant and deals with its exits, on its thread: hypercalls, stage-2 faults in the order of
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

    VcpuLoop(Vcpu vcpu) {
        this.vcpu = vcpu;
        this.engine = vcpu.engine();
        this.counters = vcpu.counters();
        this.addrspace = vcpu.addrspace();
        this.run = vcpu.run();
    }

    /** {@return why the grant ends} */
    Reason execute() {
        if (!vcpu.beginExecution()) {
            return Reason.BLOCKED;
        }
        try {
            vcpu.timers().evaluate();
            Reason reason = null;
            while (reason == null) {
                reason = vcpu.killed() || vcpu.blocks() != 0 ? Reason.BLOCKED : executeOnce();
            }
            return reason;
        } finally {
            vcpu.endExecution();
        }
    }

    /** {@return whether the last run ended with something that its proxy answers at once} */
    boolean expectsResume() {
        return (vcpu.blocks() & (Block.VMMIO.bit() | Block.PAGE_FAULT.bit())) != 0;
    }

    /** {@return null to go on} */
    private Reason executeOnce() {
        vcpu.applyReset();
        CpuExit.Kind kind = engine.run();
        CpuExit exit = engine.exit();
        switch (kind) {
            case HYPERCALL -> onHypercall(exit);
            case STAGE2_FAULT -> onStage2Fault(exit);
            case WFI -> {
                vcpu.exitLog().add(kind, engine.pc(), 0);
                vcpu.waitFor(Block.WFI);
            }
            case PREEMPTED -> {
                return Reason.PREEMPTED;
            }
            // Hardware would idle in it until another CPU sends the event: that one may be waiting for this slice.
            case WFE -> {
                return Reason.YIELDED;
            }
            // Gunyah's debug builds see it for aborts at VBAR + 0x200 (hyp/vm/vcpu exception_inject); hardware spins.
            case EXCEPTION_LOOP -> vcpu.fault(engine.exceptionLoop());
            case BUDGET, DEBUG -> { }
        }
        return null;
    }

    private void onHypercall(CpuExit exit) {
        counters.hypercalls++;
        long[] x = engine.x();
        vcpu.exitLog().add(CpuExit.Kind.HYPERCALL, engine.pc(), exit.immediate == 0 ? x[0] : exit.immediate);
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
        vcpu.exitLog().add(CpuExit.Kind.STAGE2_FAULT, engine.pc(), exit.faultIpa);
        int size = exit.isv ? 1 << exit.sizeLog2 : 1;
        FaultKind kind = addrspace.faultKind(exit.faultIpa, size, exit.access, exit.el != 0);
        switch (kind) {
            case VDEVICE -> onVdevice(exit);
            case MAPPED -> { }
            case VMMIO -> {
                if (exit.isv && !exit.mapped && !exit.walk && exit.access != Access.X) {
                    reportVmmio(exit, size);
                } else {
                    reportPageFault(exit);
                }
            }
            case PRIVATE -> reportPageFault(exit);
            case NONE -> injectAbort();
        }
    }

    private void onVdevice(CpuExit exit) {
        VdeviceRegion region = addrspace.vdevice(exit.faultIpa);
        int size = 1 << exit.sizeLog2;
        if (region == null || !exit.isv || exit.walk || (exit.faultIpa & size - 1) != 0) {
            injectAbort();
            return;
        }
        counters.vdeviceAccesses++;
        long offset = exit.faultIpa - region.base();
        if (exit.access == Access.W) {
            region.device().write(vcpu.index(), offset, size, exit.writeValue);
            engine.completeMmioWrite();
        } else {
            engine.completeMmioRead(region.device().read(vcpu.index(), offset, size));
        }
    }

    private void reportVmmio(CpuExit exit, int size) {
        if (!vcpu.options().proxyScheduled()) {
            injectAbort();
            return;
        }
        counters.vmmioExits++;
        run.vmmio(exit.access == Access.W, exit.faultIpa, size, exit.writeValue);
        vcpu.block(Block.VMMIO);
    }

    private void reportPageFault(CpuExit exit) {
        if (!vcpu.options().proxyScheduled()) {
            injectAbort();
            return;
        }
        counters.pageFaultExits++;
        int access = exit.access == Access.X ? 2 : exit.access == Access.W ? 1 : 0;
        run.pageFault(exit.faultIpa & PAGE_MASK, access, exit.mapped);
        vcpu.block(Block.PAGE_FAULT);
    }

    private void injectAbort() {
        counters.injectedAborts++;
        engine.injectExternalAbort();
    }
}
