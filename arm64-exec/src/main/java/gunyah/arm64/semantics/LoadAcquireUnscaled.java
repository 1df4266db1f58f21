package gunyah.arm64.semantics;

import static gunyah.arm64.semantics.Rows.LOW;
import static gunyah.arm64.semantics.Rows.gated;
import static gunyah.arm64.semantics.Rows.rdField;
import static gunyah.arm64.semantics.Rows.rnField;
import static gunyah.arm64.semantics.Rows.xOrNowhere;
import static gunyah.arm64.semantics.Rows.xOrSp;
import static gunyah.arm64.semantics.Rows.xOrZr;

import gunyah.arm64.Cpu;
import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.InstructionRow;
import gunyah.arm64.decode.InstructionRow.Fields;
import java.util.ArrayList;
import java.util.List;

/** LDAPUR and STLUR with their sign-extending forms (FEAT_LRCPC2, C4.1.94). {@code c} is log2 of the size. */
final class LoadAcquireUnscaled {
    private static final String LRCPC2 = "FEAT_LRCPC2";
    private static final String[] SUFFIX = {"B", "H", "_W", "_X"};

    static final List<InstructionRow> ROWS = rows();

    private LoadAcquireUnscaled() {
    }

    private static List<InstructionRow> rows() {
        List<InstructionRow> rows = new ArrayList<>();
        for (int size = 0; size < 4; size++) {
            String head = "" + (size >>> 1) + (size & 1) + "011001";
            String rest = "0 iiiiiiiii 00 nnnnn ttttt";
            rows.add(gated("STLUR" + SUFFIX[size], LRCPC2, head + "00" + rest, fields(size, true),
                    LoadAcquireUnscaled::stlur));
            rows.add(gated("LDAPUR" + SUFFIX[size], LRCPC2, head + "01" + rest, fields(size, false),
                    (cpu, insn) -> cpu.x[insn.rd] = read(cpu, insn)));
            if (size < 3) {
                rows.add(gated("LDAPURS" + SUFFIX[size] + "_to_X", LRCPC2, head + "10" + rest, fields(size, false),
                        (cpu, insn) -> cpu.x[insn.rd] = signExtended(cpu, insn)));
            }
            if (size < 2) {
                rows.add(gated("LDAPURS" + SUFFIX[size] + "_to_W", LRCPC2, head + "11" + rest, fields(size, false),
                        (cpu, insn) -> cpu.x[insn.rd] = signExtended(cpu, insn) & LOW));
            }
        }
        return List.copyOf(rows);
    }

    private static Fields fields(int size, boolean store) {
        return insn -> {
            insn.rd = store ? xOrZr(rdField(insn)) : xOrNowhere(rdField(insn));
            insn.rn = xOrSp(rnField(insn));
            insn.imm = insn.signedBits(12, 9);
            insn.c = size;
            return true;
        };
    }

    private static long read(Cpu cpu, Insn insn) {
        return Ordered.readAcquire(Ordered.hostToRead(cpu, cpu.x[insn.rn] + insn.imm, insn.c), insn.c);
    }

    private static long signExtended(Cpu cpu, Insn insn) {
        int unused = 64 - (8 << insn.c);
        return read(cpu, insn) << unused >> unused;
    }

    private static void stlur(Cpu cpu, Insn insn) {
        long va = cpu.x[insn.rn] + insn.imm;
        Ordered.write(Ordered.hostToWrite(cpu, va, insn.c), insn.c, cpu.x[insn.rd]);
    }
}
