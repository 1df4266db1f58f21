package gunyah.arm64.interp;

import static gunyah.memory.RawMemory.RAW;

import gunyah.arm64.decode.Decoder;
import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.InstructionRow;
import gunyah.arm64.decode.Ops;
import gunyah.arm64.translate.Region;
import gunyah.arm64.translate.Translator;
import gunyah.memory.UncheckedArray;
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

    /** Heat of a slot whose region was asked for; counts up from there. */
    private static final int ASKED = Integer.MIN_VALUE;
    /** A request may have been forgotten: it is made again after so many jumps more, a power of two. */
    private static final int AGAIN_MASK = (1 << 20) - 1;

    /** Jumps that leaving a region is worth: registers go to memory, and what follows is interpreted. A power of two. */
    private static final int EXIT_JUMPS = 16;

    static final Insn UNDECODED = mark("undecoded", Ops.UNDECODED);
    static final Insn PAGE_END = mark("page end", Ops.PAGE_END);

    private static final VarHandle SLOT = MethodHandles.arrayElementVarHandle(Insn[].class);

    /** One more than {@link #SLOTS}: the last is the end mark. */
    final Insn[] insns = new Insn[SLOTS + 1];
    private final long hostPage;
    private final Decoder decoder;
    /** Null when code is only interpreted. */
    private final Translator translator;
    /** How often each slot was reached by a jump; a hint, counted without locks. */
    private final int[] heat;
    /** One more than the slot of the last jump by register that reached each slot, 0 for none; a hint, too. */
    private final short[] jumpedFrom;
    private final int lookMask;
    /** Regions by the slots they may be entered at; null until there is one. */
    private volatile Region[] regions;
    /** Generation of the domain's code up to which the contents were compared with memory. */
    private volatile int checkedGeneration;

    /** @param translator null when code is only interpreted */
    public CodePage(long hostPage, Decoder decoder, Translator translator, int generation) {
        this.hostPage = hostPage;
        this.decoder = decoder;
        this.translator = translator;
        this.heat = translator == null ? null : new int[SLOTS];
        this.jumpedFrom = translator == null ? null : new short[SLOTS];
        this.lookMask = translator == null ? 0 : translator.policy().lookEvery() - 1;
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
        for (;;) {
            int word = RAW.getInt(hostPage + slot * 4L);
            Insn insn = decoder.decode(word);
            // release; pairs with the data dependency of the interpreter's plain read: host CPUs keep that order
            SLOT.setRelease(insns, slot, insn);
            // whoever changes the word forgets what is decoded: it sees our instruction, or we see the new word
            VarHandle.fullFence();
            if (RAW.getInt(hostPage + slot * 4L) == word) {
                return insn;
            }
        }
    }

    /** {@return the instruction of slot 0..1023} */
    Insn insn(int slot) {
        Insn insn = insns[slot];
        return insn == UNDECODED ? decode(slot) : insn;
    }

    /** {@return the region that may be entered at the slot, or null} */
    Region region(int slot) {
        Region[] all = regions;
        return all == null ? null : all[slot];
    }

    /** The instruction before slot {@code next} jumped by register to {@code slot}. */
    void jumped(int next, int slot) {
        jumpedFrom[slot] = (short) next;
    }

    /** A jump reached the slot, which is not checked. {@return whether there is a region for it} On the vCPU's thread. */
    boolean warm(int slot) {
        if (heat == null) {
            return false;
        }
        int count = UncheckedArray.increment(heat, slot);
        return (count & lookMask) == 0 && look(slot, count);
    }

    /**
     * Translated code left for the slot, and there is none: that costs as much as many jumps. {@return whether there is a
     * region for it by now} On the vCPU's thread.
     */
    boolean warmByRegion(int slot) {
        // a multiple, and not more than from look to look, so that none is missed
        int count = (heat[slot] | Math.min(EXIT_JUMPS - 1, lookMask)) + 1;
        heat[slot] = count;
        return (count & lookMask) == 0 && look(slot, count);
    }

    private boolean look(int slot, int count) {
        if (isInterpreted(insn(slot))) {
            heat[slot] = ASKED;
            return false;
        }
        if (region(slot) == null) {
            Region found = translator.find(hostPage, slot, insn(slot).word);
            boolean hot = count >= translator.policy().hot() || count < 0 && (count & AGAIN_MASK) == 0;
            // what is kept is asked for once: a request copies the page
            if (found == null && (hot || count == lookMask + 1 && translator.mayBeKept(slot, insn(slot).word))) {
                translator.request(snapshot(), oftenJumpedFrom(), slot, hot);
                found = translator.find(hostPage, slot, insn(slot).word);
            }
            if (found == null) {
                heat[slot] = count >= translator.policy().hot() ? ASKED : count;
                return false;
            }
            if (!install(found)) {
                heat[slot] = 0;
                return false;
            }
        }
        // the next jump here comes straight back
        heat[slot] = lookMask;
        return true;
    }

    private Insn[] snapshot() {
        Insn[] copy = new Insn[SLOTS];
        for (int slot = 0; slot < SLOTS; slot++) {
            Insn insn = insns[slot];
            copy[slot] = insn == UNDECODED || isInterpreted(insn) ? null : translator.gates().prepare(insn);
        }
        return copy;
    }

    /** Code that is translated never misaligns SP, so it need not look at it. */
    private static boolean isInterpreted(Insn insn) {
        return insn.op == Ops.CALL_STACK;
    }

    private static final int OFTEN = 16;

    /** {@return by slot, one more than the slot of a jump by register that often went there, 0 where none did} */
    private short[] oftenJumpedFrom() {
        short[] often = jumpedFrom.clone();
        for (int slot = 0; slot < SLOTS; slot++) {
            if (heat[slot] >= 0 && heat[slot] < Math.min(OFTEN, translator.policy().hot())) {
                often[slot] = 0;
            }
        }
        return often;
    }

    /** {@return false when the code has changed since the region was found, and it is not installed} */
    private synchronized boolean install(Region region) {
        if (!region.matches(hostPage)) {
            return false;
        }
        Region[] all = regions == null ? new Region[SLOTS] : regions.clone();
        for (int entry : region.entries()) {
            if (all[entry] == null) {
                all[entry] = region;
                heat[entry] = lookMask;
            }
        }
        regions = all;
        return true;
    }

    /** Forgets the regions of which a word among these slots is another now. */
    private synchronized boolean forgetRegions(int first, int count) {
        Region[] left = null;
        for (int slot = 0; regions != null && slot < SLOTS; slot++) {
            Region region = regions[slot];
            if (region != null && !region.matches(hostPage, first, count)) {
                left = left == null ? regions.clone() : left;
                left[slot] = null;
                heat[slot] = 0;
            }
        }
        if (left != null) {
            regions = left;
        }
        return left != null;
    }

    /** Compares with memory what was decoded before {@code generation}, and forgets what changed. */
    void checkAgainstMemory(int generation) {
        if (checkedGeneration != generation) {
            forgetChanged(0, SLOTS);
            checkedGeneration = generation;
        }
    }

    /**
     * Forgets the instructions among {@code count} slots from {@code first} on whose word in memory is another now.
     * {@return whether a region was made of one of them}
     */
    public boolean forgetChanged(int first, int count) {
        // the stores before this come first: see decode
        VarHandle.fullFence();
        boolean evicted = translator != null && forgetRegions(first, count);
        for (int slot = first; slot < first + count; slot++) {
            Insn insn = insns[slot];
            if (insn != UNDECODED && insn.word != RAW.getInt(hostPage + slot * 4L)) {
                SLOT.setRelease(insns, slot, UNDECODED);
            }
        }
        return evicted;
    }
}
