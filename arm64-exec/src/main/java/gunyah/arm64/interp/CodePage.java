package gunyah.arm64.interp;

import static gunyah.memory.RawMemory.RAW;

import gunyah.arm64.decode.Decoder;
import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.InstructionRow;
import gunyah.arm64.decode.Ops;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;

/**
 * The pre-decoded instructions of one 4 KiB page of physical memory, decoded lazily, one slot per word. Shared by all
 * CPUs of a domain without locks: a slot goes from {@link #UNDECODED} to an instruction and back, any CPU may do either,
 * and a stale instruction may be seen until the reader synchronizes (ISB, exception, page change), as the architecture
 * allows for instruction caches.
 */
public final class CodePage {
    /** Instructions in a page. */
    public static final int SLOTS = 1024;

    static final Insn UNDECODED = mark("undecoded", Ops.UNDECODED);
    static final Insn PAGE_END = mark("page end", Ops.PAGE_END);

    private static final VarHandle SLOT = MethodHandles.arrayElementVarHandle(Insn[].class);

    /** One more than {@link #SLOTS}: the last is the end mark. */
    final Insn[] insns = new Insn[SLOTS + 1];
    private final long hostPage;
    private final Decoder decoder;
    /** Generation of the domain's code up to which the contents were compared with memory. */
    private volatile int checkedGeneration;

    public CodePage(long hostPage, Decoder decoder, int generation) {
        this.hostPage = hostPage;
        this.decoder = decoder;
        this.checkedGeneration = generation;
        Arrays.fill(insns, UNDECODED);
        insns[SLOTS] = PAGE_END;
    }

    private static Insn mark(String name, int op) {
        return new Insn(0, new InstructionRow(name, "x".repeat(32), "", op, false, insn -> true, (cpu, insn) -> {
            throw new IllegalStateException(name + " is not an instruction");
        }));
    }

    /** {@return the instruction of slot 0..1023, decoded now} */
    Insn decode(int slot) {
        Insn insn = decoder.decode(RAW.getInt(hostPage + slot * 4L));
        // release; pairs with the data dependency of the interpreter's plain read: host CPUs keep that order
        SLOT.setRelease(insns, slot, insn);
        return insn;
    }

    /** Compares with memory what was decoded before {@code generation}, and forgets what changed. */
    void checkAgainstMemory(int generation) {
        if (checkedGeneration != generation) {
            forgetChanged(0, SLOTS);
            checkedGeneration = generation;
        }
    }

    /** Forgets the instructions among {@code count} slots from {@code first} on whose word in memory is another now. */
    public void forgetChanged(int first, int count) {
        for (int slot = first; slot < first + count; slot++) {
            Insn insn = insns[slot];
            if (insn != UNDECODED && insn.word != RAW.getInt(hostPage + slot * 4L)) {
                SLOT.setRelease(insns, slot, UNDECODED);
            }
        }
    }
}
