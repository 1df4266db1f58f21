package gunyah.arm64;

import static gunyah.memory.RawMemory.RAW;

import gunyah.arm64.interp.Interpreter;
import gunyah.arm64.mmu.Mmu;
import gunyah.arm64.state.Abort;
import gunyah.arm64.state.CpuExit;
import gunyah.arm64.state.CpuFeatures;
import gunyah.arm64.state.CpuPort;
import gunyah.arm64.state.CpuState;
import gunyah.arm64.state.UndefinedInstruction;
import gunyah.arm64.state.VcpuControl;
import gunyah.arm64.sysreg.Exceptions;
import gunyah.arm64.sysreg.IdRegisters;
import gunyah.arm64.sysreg.SelfHostedDebug;
import gunyah.arm64.sysreg.SystemRegisters;
import gunyah.memory.NativeWords;
import gunyah.memory.PairSwap;
import gunyah.memory.PhysicalMemory;
import gunyah.memory.Stage2Table;
import java.util.Objects;

/**
 * One AArch64 vCPU at EL0/EL1. {@link #run} executes guest code on the calling thread until something needs the owner;
 * {@link #exit} then says what, and the {@code complete} and {@code inject} methods answer it. One thread at a time; only
 * {@link #control} may be touched by others.
 */
public final class Cpu {
    private static final int EXTERNAL_ABORT = 0x10;
    private static final long UNKNOWN_REASON = 0x0200_0000;

    public final CpuState s = new CpuState();
    /** Alias of {@code s.x}. */
    public final long[] x = s.x;
    /** Alias of {@code s.v}. */
    public final long[] v = s.v;
    public final CpuConfig config;
    public final InnerShareable domain;
    public final CpuPort port;
    public final VcpuControl control;
    public final CpuExit exit = new CpuExit();
    public final Mmu mmu;
    public final SystemRegisters sys;
    public final Exceptions exceptions;
    final Shootdowns shootdowns = new Shootdowns();

    private final Abort abort = new Abort();
    private final UndefinedInstruction undefined = new UndefinedInstruction();
    private final Stage2Table stage2;
    private final Interpreter interpreter;
    private final boolean branchTypes;
    private final NativeWords pair = new NativeWords(2);
    /** Written by the vCPU's thread after its translations were dropped; read by {@link InnerShareable#stage2Synced}. */
    private volatile int stage2EpochSeen;
    private CpuExit.Kind wanted;

    public Cpu(CpuConfig config, InnerShareable domain, Stage2Table stage2, PhysicalMemory memory, CpuPort port,
            VcpuControl control) {
        this.config = config;
        this.domain = domain;
        this.stage2 = stage2;
        this.port = port;
        this.control = control;
        this.mmu = new Mmu(s, stage2, memory, abort);
        this.sys = new SystemRegisters(s, mmu, port, control, new IdRegisters(config.features()::has), config.mpidr(),
                undefined, domain, (operation, operand) -> domain.broadcastTlbi(this, operation, operand));
        this.exceptions = new Exceptions(s, sys, mmu);
        this.interpreter = new Interpreter(this);
        this.branchTypes = config.features().has(CpuFeatures.Feature.BTI);
        this.stage2EpochSeen = stage2.epoch();
        domain.join(this);
    }
    /**
     * Runs guest code until something needs the owner.
     *
     * @param maxInstructions the budget, at least 0; exactly so many retire unless another exit comes first
     * @return {@link CpuExit#kind}; details are in {@link #exit}
     */
    public CpuExit.Kind run(long maxInstructions) {
        long end = s.retired + maxInstructions;
        if (end < s.retired) {
            end = Long.MAX_VALUE;
        }
        // before any look at epoch and attention; pairs with the requester's look at inGuest (see InnerShareable)
        control.inGuest = true;
        try {
            syncStage2();
            exit.kind = runUntil(end);
        } finally {
            control.inGuest = false;
        }
        return exit.kind;
    }

    private CpuExit.Kind runUntil(long end) {
        for (;;) {
            CpuExit.Kind kind = attend();
            if (kind != null) {
                return kind;
            }
            if (exceptions.isEndlessLoop()) {
                return CpuExit.Kind.EXCEPTION_LOOP;
            }
            if (s.retired >= end) {
                return CpuExit.Kind.BUDGET;
            }
            try {
                if (sys.debug.isActive()) {
                    runDebugged();
                } else {
                    interpreter.run(sys.pmu.isActive() ? sys.pmu.limit(end) : end);
                }
            } catch (Abort reason) {
                if (reason.stage2) {
                    return stage2Fault();
                }
                exceptions.takeAbort(reason);
                countException();
            } catch (UndefinedInstruction reason) {
                exceptions.undefined(reason);
                countException();
            }
            if (wanted != null) {
                kind = wanted;
                wanted = null;
                return kind;
            }
        }
    }

    /** An exception uses up budget, or a CPU that does nothing else would never give its slice back. */
    private void countException() {
        s.retired++;
        sys.pmu.exceptionCounted();
    }

    /** One instruction with what self-hosted debug has to do before and after it. */
    private void runDebugged() {
        SelfHostedDebug debug = sys.debug;
        if (debug.isStepPending()) {
            exceptions.softwareStep();
            countException();
            return;
        }
        // a fetch that aborts does so before a breakpoint
        int word = RAW.getInt(mmu.hostForFetch(s.pc));
        if (debug.hasBreakpoint(s.pc)) {
            exceptions.hardwareBreakpoint();
            countException();
            return;
        }
        boolean stepping = debug.isStepping();
        long before = s.retired;
        interpreter.run(before + 1);
        if (stepping && s.retired != before && s.ss) {
            debug.stepped(word);
        }
    }

    /** Answers the attention word and takes a pending interrupt. {@return why to leave guest code, null to go on} */
    private CpuExit.Kind attend() {
        int bits = control.peek() == 0 ? 0 : control.take();
        if ((bits & VcpuControl.TLB) != 0) {
            drainShootdowns();
            syncStage2();
        }
        if ((bits & VcpuControl.EVENT) != 0) {
            s.eventRegister = true;
        }
        if ((bits & VcpuControl.TIMER) != 0) {
            port.timerExpired();
        }
        if (s.il) {
            exceptions.illegalState();
            countException();
        }
        if (control.isSerrorPending() && (s.daif & CpuState.DAIF_A) == 0) {
            exceptions.takeSerror(control.takeSerror());
        }
        if (control.fiqLine && (s.daif & CpuState.DAIF_F) == 0) {
            exceptions.takeFiq();
        } else if (control.irqLine && (s.daif & CpuState.DAIF_I) == 0) {
            exceptions.takeIrq();
        }
        if ((bits & VcpuControl.DEBUG) != 0) {
            // the owner deals with DEBUG first; what else it was told must not get lost
            control.raise(bits & (VcpuControl.PREEMPT | VcpuControl.STOP));
            return CpuExit.Kind.DEBUG;
        }
        return (bits & (VcpuControl.PREEMPT | VcpuControl.STOP)) != 0 ? CpuExit.Kind.PREEMPTED : null;
    }

    /** Applies what other CPUs asked for. The vCPU's thread only. */
    void drainShootdowns() {
        shootdowns.drain(mmu);
    }

    /** {@return the stage-2 epoch from before which no translation is cached} */
    int stage2EpochSeen() {
        return stage2EpochSeen;
    }

    private void syncStage2() {
        int epoch = stage2.epoch();
        if (epoch != stage2EpochSeen) {
            mmu.synchronizeStage2();
            s.exclusiveHost = 0;
            // a page may have left and come back with other contents
            domain.invalidateAllCode();
            stage2EpochSeen = epoch;
        }
    }

    private CpuExit.Kind stage2Fault() {
        exit.faultIpa = abort.ipa;
        exit.faultVa = abort.far;
        exit.access = abort.access;
        exit.mapped = abort.mapped;
        exit.walk = abort.walk;
        exit.fetch = abort.instruction;
        exit.el = s.el;
        exit.isv = false;
        if (!abort.instruction && !abort.walk) {
            Syndrome.describe(interpreter.faulting().word, exit);
            exit.writeValue = x[exit.register == 31 ? CpuState.ZR_READ : exit.register];
        }
        return CpuExit.Kind.STAGE2_FAULT;
    }

    /** For semantics: leave guest code after this instruction, which has set the PC and counts as a branch. */
    public void leaveGuest(CpuExit.Kind kind) {
        wanted = kind;
    }

    /** {@return whether {@link #leaveGuest} was called} For the engine. */
    public boolean isLeaving() {
        return wanted != null;
    }

    /** For semantics: stores two words at {@code host}, aligned to 16 bytes, if the expected ones are there. */
    public boolean swapPair(long host, long expectedLow, long expectedHigh, long low, long high) {
        long at = pair.address();
        NativeWords.set(at, expectedLow);
        NativeWords.set(at + 8, expectedHigh);
        return PairSwap.swap(host, at, low, high);
    }

    /** For semantics: {@return the low or the high word (0, 1) that the last {@link #swapPair} found instead} */
    public long pairFound(int half) {
        return NativeWords.get(pair.address() + 8 * half);
    }

    /** For semantics: whether branches by register set PSTATE.BTYPE. */
    public boolean hasBranchTypes() {
        return branchTypes;
    }

    /** For semantics: whether the page of the instruction under way is guarded. */
    public boolean isInGuardedPage() {
        return interpreter.isInGuardedPage();
    }

    /** For semantics that may have unmasked interrupts or debug exceptions: makes the engine look before it goes on. */
    public void interruptMasksChanged() {
        if (control.hasInterrupt(s.daif) || sys.debug.isActive()) {
            control.raise(VcpuControl.IRQ);
        }
    }

    /**
     * Finishes the load of a STAGE2_FAULT exit with {@link CpuExit#isv}: the instruction retires.
     *
     * @param value what the device answered; only the low bytes of the access size count
     */
    public void completeMmioRead(long value) {
        int unused = 64 - (8 << exit.sizeLog2);
        long extended = exit.signExtend ? value << unused >> unused : value << unused >>> unused;
        if (exit.register != 31) {
            x[exit.register] = exit.sixtyFour ? extended : extended & 0xFFFF_FFFFL;
        }
        retire();
    }

    /** Finishes the store of a STAGE2_FAULT exit: the instruction retires. */
    public void completeMmioWrite() {
        retire();
    }

    private void retire() {
        if (sys.debug.isStepping()) {
            sys.debug.stepped(interpreter.faulting().word);
        }
        s.pc += 4;
        s.retired++;
    }

    /** Answers a STAGE2_FAULT exit with a synchronous external abort to EL1. */
    public void injectExternalAbort() {
        exceptions.injectAbort(exit.faultVa, exit.fetch, EXTERNAL_ABORT);
    }

    /** Makes the instruction at the PC UNDEFINED. */
    public void injectUndefined() {
        undefined.esr = UNKNOWN_REASON;
        exceptions.undefined(undefined);
    }

    /** Puts the CPU into the state of PSCI CPU_ON and of a VM's start: EL1h, interrupts masked, MMU off. */
    public void reset(long pc, long x0) {
        s.switchStack(1, 1);
        s.daif = CpuState.DAIF_D | CpuState.DAIF_A | CpuState.DAIF_I | CpuState.DAIF_F;
        s.nzcv = 0;
        s.pan = false;
        s.uao = false;
        s.ss = false;
        s.il = false;
        s.dit = false;
        s.ssbs = false;
        s.tco = false;
        s.btype = 0;
        s.exclusiveHost = 0;
        s.eventRegister = false;
        s.pc = pc;
        x[0] = x0;
        control.takeSerror();
        sys.reset();
        exceptions.reset();
        mmu.flushAll();
    }

    /** {@return general register 0..30 as the guest sees it} Only while the CPU is not running. */
    public long register(int index) {
        return x[Objects.checkIndex(index, 31)];
    }

    /** Sets general register 0..30. Only while the CPU is not running. */
    public void setRegister(int index, long value) {
        x[Objects.checkIndex(index, 31)] = value;
    }

    /** Raises UNDEFINED (EC 0) for the current instruction. {@return never; throw it for the compiler's sake} */
    public UndefinedInstruction undefined() {
        return trap(UNKNOWN_REASON);
    }

    /** Raises an exception to EL1 with this full ESR_EL1 for the current instruction. {@return never} */
    public UndefinedInstruction trap(long esr) {
        undefined.esr = esr;
        throw undefined;
    }
}
