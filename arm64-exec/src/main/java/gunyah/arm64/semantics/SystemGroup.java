package gunyah.arm64.semantics;

import static gunyah.arm64.semantics.Rows.branch;
import static gunyah.arm64.semantics.Rows.gated;
import static gunyah.arm64.semantics.Rows.gatedBranch;
import static gunyah.arm64.semantics.Rows.rdField;
import static gunyah.arm64.semantics.Rows.row;
import static gunyah.arm64.semantics.Rows.xOrNowhere;
import static gunyah.arm64.semantics.Rows.xOrZr;

import gunyah.arm64.Cpu;
import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.InstructionRow;
import gunyah.arm64.decode.Ops;
import gunyah.arm64.state.CpuExit;
import java.lang.invoke.VarHandle;
import java.util.List;

/**
 * Exception generation, hints, barriers, PSTATE fields and system register access (C4.1.93). Register meaning is the
 * system register file's; {@code a} is its 15-bit key. What may unmask an interrupt or change the translation context
 * counts as a branch, so that the engine looks again.
 */
final class SystemGroup {
    private static final long EC_BRK = 0x3CL << 26 | 1L << 25;

    static final List<InstructionRow> ROWS = List.of(
            branch("SVC", "11010100 000 iiiiiiiiiiiiiiii 000 01", SystemGroup::immediate16, SystemGroup::svc),
            branch("HVC", "11010100 000 iiiiiiiiiiiiiiii 000 10", SystemGroup::immediate16,
                    (cpu, insn) -> hypercall(cpu, insn, false)),
            branch("SMC", "11010100 000 iiiiiiiiiiiiiiii 000 11", SystemGroup::immediate16,
                    (cpu, insn) -> hypercall(cpu, insn, true)),
            row("BRK", "11010100 001 iiiiiiiiiiiiiiii 000 00", SystemGroup::immediate16,
                    (cpu, insn) -> cpu.trap(EC_BRK | insn.imm)),
            row("HINT", "1101 0101 0000 0011 0010 cccc ooo 11111", SystemGroup::hint, (cpu, insn) -> { }),
            gated("BTI", "FEAT_BTI", "1101 0101 0000 0011 0010 0100 jc0 11111", SystemGroup::hint, (cpu, insn) -> { }),
            branch("WFE", "1101 0101 0000 0011 0010 0000 010 11111", insn -> true, SystemGroup::wfe),
            branch("WFI", "1101 0101 0000 0011 0010 0000 011 11111", insn -> true, SystemGroup::wfi),
            row("SEV", "1101 0101 0000 0011 0010 0000 100 11111", insn -> true, (cpu, insn) -> cpu.domain.sendEvent()),
            row("SEVL", "1101 0101 0000 0011 0010 0000 101 11111", insn -> true,
                    (cpu, insn) -> cpu.s.eventRegister = true),
            row("CLREX", "1101 0101 0000 0011 0011 cccc 010 11111", insn -> true,
                    (cpu, insn) -> cpu.s.exclusiveHost = 0),
            row("DSB", "1101 0101 0000 0011 0011 cccc 100 11111", SystemGroup::barrier, SystemGroup::dsb),
            row("DMB", "1101 0101 0000 0011 0011 cccc 101 11111", SystemGroup::barrier, SystemGroup::dmb),
            branch("ISB", "1101 0101 0000 0011 0011 cccc 110 11111", insn -> true, SystemGroup::isb),
            gated("SB", "FEAT_SB", "1101 0101 0000 0011 0011 0000 111 11111", insn -> true,
                    (cpu, insn) -> VarHandle.fullFence()),
            branch("MSR_SPSel", "1101 0101 0000 0 000 0100 cccc 101 11111", SystemGroup::register, SystemGroup::pstate),
            gatedBranch("MSR_UAO", "FEAT_UAO", "1101 0101 0000 0 000 0100 cccc 011 11111", SystemGroup::register,
                    SystemGroup::pstate),
            gatedBranch("MSR_PAN", "FEAT_PAN", "1101 0101 0000 0 000 0100 cccc 100 11111", SystemGroup::register,
                    SystemGroup::pstate),
            gatedBranch("MSR_SSBS", "FEAT_SSBS", "1101 0101 0000 0 011 0100 cccc 001 11111", SystemGroup::register,
                    SystemGroup::pstate),
            gatedBranch("MSR_DIT", "FEAT_DIT", "1101 0101 0000 0 011 0100 cccc 010 11111", SystemGroup::register,
                    SystemGroup::pstate),
            branch("MSR_DAIFSet", "1101 0101 0000 0 011 0100 cccc 110 11111", SystemGroup::register,
                    SystemGroup::pstate),
            branch("MSR_DAIFClr", "1101 0101 0000 0 011 0100 cccc 111 11111", SystemGroup::register,
                    SystemGroup::pstate),
            branch("SYS", "1101 0101 0000 1 ooo nnnn mmmm ooo ttttt", SystemGroup::register, SystemGroup::sys),
            branch("SYSL", "1101 0101 0010 1 ooo nnnn mmmm ooo ttttt", SystemGroup::register, SystemGroup::sysl),
            branch("MSR_reg", "1101 0101 0001 o ooo nnnn mmmm ooo ttttt", SystemGroup::register, SystemGroup::msr),
            row("MRS", "1101 0101 0011 o ooo nnnn mmmm ooo ttttt", SystemGroup::register,
                    SystemGroup::mrs),
            branch("ERET", "1101011 0 100 11111 0000 0 0 11111 00000", insn -> true, SystemGroup::eret));

    private SystemGroup() {
    }

    private static boolean immediate16(Insn insn) {
        insn.imm = insn.bits(5, 16);
        return true;
    }

    private static boolean hint(Insn insn) {
        insn.op = Ops.NOP;
        return true;
    }

    private static boolean barrier(Insn insn) {
        insn.a = insn.bits(8, 4);
        return true;
    }

    private static boolean register(Insn insn) {
        insn.a = insn.bits(5, 15);
        insn.rd = xOrNowhere(rdField(insn));
        insn.rn = xOrZr(rdField(insn));
        return true;
    }

    private static void requireEl1(Cpu cpu) {
        if (cpu.s.el == 0) {
            throw cpu.undefined();
        }
    }

    private static void svc(Cpu cpu, Insn insn) {
        cpu.exceptions.supervisorCall((int) insn.imm);
    }

    private static void hypercall(Cpu cpu, Insn insn, boolean smc) {
        requireEl1(cpu);
        cpu.s.pc += 4;
        cpu.exit.immediate = (int) insn.imm;
        cpu.exit.smc = smc;
        cpu.leaveGuest(CpuExit.Kind.HYPERCALL);
    }

    /** Without an event the rest of the slice is given away: whoever the guest waits for may need this processor. */
    private static void wfe(Cpu cpu, Insn insn) {
        trapWait(cpu, true);
        cpu.s.pc += 4;
        if (cpu.s.eventRegister) {
            cpu.s.eventRegister = false;
        } else {
            cpu.leaveGuest(CpuExit.Kind.WFE);
        }
    }

    private static void wfi(Cpu cpu, Insn insn) {
        trapWait(cpu, false);
        cpu.s.pc += 4;
        if (!cpu.control.isInterruptPending()) {
            cpu.leaveGuest(CpuExit.Kind.WFI);
        }
    }

    private static void trapWait(Cpu cpu, boolean wfe) {
        long esr = cpu.sys.waitTrapEsr(wfe);
        if (esr != 0) {
            throw cpu.trap(esr);
        }
    }

    private static void dsb(Cpu cpu, Insn insn) {
        VarHandle.fullFence();
        cpu.domain.awaitShootdown(cpu);
    }

    /** CRm bits 1:0 are the access types: 1 loads, 2 stores, 3 all. */
    private static void dmb(Cpu cpu, Insn insn) {
        switch (insn.a & 3) {
            case 1 -> VarHandle.acquireFence();
            case 2 -> VarHandle.storeStoreFence();
            default -> VarHandle.fullFence();
        }
    }

    private static void isb(Cpu cpu, Insn insn) {
        cpu.s.pc += 4;
    }

    private static void pstate(Cpu cpu, Insn insn) {
        cpu.sys.writePstate(insn.bits(16, 3), insn.bits(5, 3), insn.bits(8, 4));
        cpu.s.pc += 4;
        cpu.interruptMasksChanged();
    }

    private static void sys(Cpu cpu, Insn insn) {
        cpu.sys.sys(insn.bits(16, 3), insn.bits(12, 4), insn.bits(8, 4), insn.bits(5, 3), cpu.x[insn.rn]);
        cpu.s.pc += 4;
    }

    private static void sysl(Cpu cpu, Insn insn) {
        cpu.x[insn.rd] = cpu.sys.sysl(insn.bits(16, 3), insn.bits(12, 4), insn.bits(8, 4), insn.bits(5, 3));
        cpu.s.pc += 4;
    }

    private static void mrs(Cpu cpu, Insn insn) {
        cpu.x[insn.rd] = cpu.sys.read(insn.a);
    }

    private static void msr(Cpu cpu, Insn insn) {
        cpu.sys.write(insn.a, cpu.x[insn.rn]);
        cpu.s.pc += 4;
        cpu.interruptMasksChanged();
    }

    private static void eret(Cpu cpu, Insn insn) {
        requireEl1(cpu);
        cpu.exceptions.eret();
        cpu.interruptMasksChanged();
    }
}
