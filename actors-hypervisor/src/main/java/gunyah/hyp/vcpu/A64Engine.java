package gunyah.hyp.vcpu;

import gunyah.arm64.Cpu;
import gunyah.arm64.CpuConfig;
import gunyah.arm64.InnerShareable;
import gunyah.arm64.disasm.Disassembler;
import gunyah.arm64.state.CpuExit;
import gunyah.arm64.state.CpuFeatures;
import gunyah.arm64.state.CpuPort;
import gunyah.arm64.state.CpuState;
import gunyah.arm64.sysreg.SystemRegisters;
import gunyah.hyp.Caller;
import gunyah.hyp.VcpuDescription;
import gunyah.hyp.vic.Vic;
import gunyah.memory.PhysicalMemory;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/** The execution engine for guests of real machine code, and its way to the vCPU's timers and interrupt controller. */
final class A64Engine implements VcpuEngine {
    private static final int ESR_EL1 = SystemRegisters.key(3, 0, 5, 2, 0);
    private static final int FAR_EL1 = SystemRegisters.key(3, 0, 6, 0, 0);
    private static final int ELR_EL1 = SystemRegisters.key(3, 0, 4, 0, 1);
    private static final int GENERAL_REGISTERS = 31;

    private final Vcpu vcpu;
    private final Cpu cpu;
    private final InnerShareable domain;
    private final Runnable onClose;
    private final GuestCaller caller;

    A64Engine(Vcpu vcpu, CpuFeatures features, InnerShareable domain, PhysicalMemory memory, Runnable onClose) {
        this.vcpu = vcpu;
        this.domain = domain;
        this.onClose = onClose;
        CpuConfig config = new CpuConfig(vcpu.mpidrValue(), features);
        this.cpu = new Cpu(config, domain, vcpu.addrspace().stage2(), memory, new Port(vcpu), vcpu.control());
        this.caller = new GuestCaller(vcpu, cpu);
    }

    @Override
    public CpuExit.Kind run() {
        return cpu.run(Long.MAX_VALUE);
    }

    @Override
    public CpuExit exit() {
        return cpu.exit;
    }

    @Override
    public long[] x() {
        return cpu.x;
    }

    @Override
    public long pc() {
        return cpu.s.pc;
    }

    @Override
    public long retired() {
        return cpu.s.retired;
    }

    @Override
    public void reset(long pc, long x0) {
        cpu.reset(pc, x0);
    }

    @Override
    public void writeSp(int el, long value) {
        if (el == 0) {
            cpu.s.writeSpEl0(value);
        } else {
            // After a reset the vCPU is at EL1h.
            cpu.x[CpuState.SP] = value;
        }
    }

    @Override
    public void completeMmioRead(long value) {
        cpu.completeMmioRead(value);
    }

    @Override
    public void completeMmioWrite() {
        cpu.completeMmioWrite();
    }

    @Override
    public void injectExternalAbort() {
        cpu.injectExternalAbort();
    }

    @Override
    public String exceptionLoop() {
        return "endless exceptions at the vector 0x%x, ESR_EL1 0x%x; the first came from 0x%x with ESR_EL1 0x%x"
                .formatted(cpu.s.pc, cpu.sys.read(ESR_EL1), cpu.exceptions.loopReturn(), cpu.exceptions.loopSyndrome());
    }

    @Override
    public boolean runsOnAnyThread() {
        return true;
    }

    @Override
    public Caller caller() {
        return caller;
    }

    @Override
    public boolean overflowLine() {
        return cpu.sys.pmu.overflowLine();
    }

    @Override
    public boolean virtualTimerLine(long ticks) {
        return cpu.sys.timers().virtualLine(ticks);
    }

    @Override
    public boolean physicalTimerLine(long ticks) {
        return cpu.sys.timers().physicalLine(ticks);
    }

    @Override
    public long nextTimerDeadline() {
        return cpu.sys.timers().nextDeadline();
    }

    @Override
    public void stopTimers() {
        cpu.sys.timers().reset();
    }

    @Override
    public boolean wakeupPending() {
        return vcpu.control().isInterruptPending();
    }

    @Override
    public boolean takeYieldWakeup() {
        return wakeupPending();
    }

    @Override
    public boolean takeIdleWakeup() {
        return wakeupPending();
    }

    @Override
    public VcpuDescription describe(String name, String state, List<String> blocks, List<String> lastExits,
            String failure) {
        List<Long> registers = new ArrayList<>();
        for (int i = 0; i < GENERAL_REGISTERS; i++) {
            registers.add(cpu.x[i]);
        }
        // another thread may be in guest code, and its translations are its own
        String instruction = vcpu.control().inGuest ? "" : instructionAt(cpu.s.pc);
        return new VcpuDescription(name, state, blocks, vcpu.mpidrValue(), cpu.s.pc, registers, cpu.x[CpuState.SP],
                cpu.s.spsr(), cpu.s.el, cpu.sys.stored(ESR_EL1), cpu.sys.stored(FAR_EL1), cpu.sys.stored(ELR_EL1),
                instruction, lastExits, failure);
    }

    private String instructionAt(long pc) {
        OptionalInt word = cpu.mmu.peekInstruction(pc);
        return word.isPresent() ? Disassembler.text(word.getAsInt(), pc) : "";
    }

    @Override
    public void close() {
        domain.leave(cpu);
        onClose.run();
    }

    /** What guest code asks of the hypervisor without leaving. */
    private record Port(Vcpu vcpu) implements CpuPort {
        @Override
        public long counter() {
            return vcpu.machine().counter().ticks();
        }

        @Override
        public void timerProgrammed() {
            VcpuTimers timers = vcpu.timers();
            // The CPU resets its timers while it is being made.
            if (timers != null) {
                timers.evaluate();
            }
        }

        @Override
        public void overflowChanged() {
            VcpuTimers timers = vcpu.timers();
            if (timers != null) {
                timers.overflowChanged();
            }
        }

        @Override
        public void timerExpired() {
            vcpu.timers().expired();
        }

        @Override
        public long readIcc(int key) {
            return vcpu.vic().readIcc(vcpu.index(), key);
        }

        @Override
        public void writeIcc(int key, long value) {
            vcpu.vic().writeIcc(vcpu.index(), key, value);
        }

        @Override
        public boolean hasIcc(int key, boolean write) {
            return Vic.hasIcc(key, write);
        }
    }
}
