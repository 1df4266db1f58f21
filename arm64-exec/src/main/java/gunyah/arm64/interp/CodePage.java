package gunyah.arm64.interp;

import static gunyah.memory.RawMemory.RAW;

import gunyah.arm64.decode.Decoder;
import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.InstructionRow;
import gunyah.arm64.decode.Ops;
import gunyah.arm64.translate.HotCode;
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
public final class CodePage implements HotCode {
    /** Instructions in a page. */
    public static final int SLOTS = 1024;

    /** What leaving a region is worth, in instructions: registers go to memory, and what follows is interpreted. */
    private static final int EXIT_WORTH = 100;
    /** Counts of instructions stop there. */
    private static final int MOST_HEAT = 1 << 30;

    static final Insn UNDECODED = mark("undecoded", Ops.UNDECODED);
    static final Insn PAGE_END = mark("page end", Ops.PAGE_END);

    private static final VarHandle SLOT = MethodHandles.arrayElementVarHandle(Insn[].class);

    /** One more than {@link #SLOTS}: the last is the end mark. */
    final Insn[] insns = new Insn[SLOTS + 1];
    private final long hostPage;
    private final Decoder decoder;
    /** Null when code is only interpreted. */
    private final Translator translator;
    /**
     * Instructions interpreted from each slot up to the next jump, since it was last looked at, less those after which
     * that is due; the last counts for nothing. Hints, counted without locks; null when code is only interpreted.
     */
    private final int[] heat;
    /** Instructions interpreted from each slot until it was last looked at; a hint, too. */
    private final int[] looked;
    /** One more than the slot of the last jump by register that reached each slot, 0 for none; a hint, too. */
    private final short[] jumpedFrom;
    private final int lookEvery;
    /** Regions by the slots they may be entered at; null until there is one. */
    private volatile Region[] regions;
    /** Generation of the domain's code up to which the contents were compared with memory. */
    private volatile int checkedGeneration;

    /** @param translator null when code is only interpreted */
    public CodePage(long hostPage, Decoder decoder, Translator translator, int generation) {
        this.hostPage = hostPage;
        this.decoder = decoder;
        this.translator = translator;
        this.lookEvery = translator == null ? 0 : translator.policy().lookEvery();
        this.heat = translator == null ? null : new int[SLOTS + 1];
        this.looked = translator == null ? null : new int[SLOTS];
        this.jumpedFrom = translator == null ? null : new short[SLOTS];
        this.checkedGeneration = generation;
        if (heat != null) {
            Arrays.fill(heat, -lookEvery);
        }
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

    /**
     * So many instructions were interpreted from {@code slot} on, up to a jump. Only for code that may be translated; on
     * the vCPU's thread.
     *
     * @param slot not checked; {@link #SLOTS} when they count for nothing
     */
    void warm(int slot, int count) {
        UncheckedArray.add(heat, slot, count);
    }

    /** Translated code left for the slot, and there is none: that costs as much as many instructions. */
    void warmByRegion(int slot) {
        heat[slot] += Math.min(EXIT_WORTH, lookEvery);
    }

    /** {@return whether a jump to the slot, which is not checked, finds a region there} On the vCPU's thread. */
    boolean isTranslatedAt(int slot) {
        return UncheckedArray.get(heat, slot) >= 0 && look(slot);
    }

    private boolean look(int slot) {
        if (isInterpreted(insn(slot))) {
            heat[slot] = -MOST_HEAT;
            return false;
        }
        if (region(slot) == null) {
            int before = looked[slot];
            int count = Math.min(before + heat[slot] + lookEvery, MOST_HEAT);
            looked[slot] = count;
            heat[slot] = -lookEvery;
            Region found = translator.find(hostPage, slot, insn(slot).word);
            int hot = translator.policy().hot();
            // again when it is twice as hot: a request may have been forgotten, and the hottest are made first
            boolean hotter = Integer.highestOneBit(count / hot) != Integer.highestOneBit(before / hot);
            if (found == null && (hotter || before == 0 && translator.mayBeKept(slot, insn(slot).word))) {
                translator.request(this, slot, count, count >= hot);
                found = translator.find(hostPage, slot, insn(slot).word);
            }
            if (found == null || !install(found)) {
                return false;
            }
        }
        // the next jump here comes straight back
        heat[slot] = 0;
        return true;
    }

    @Override
    public Insn[] instructions() {
        Insn[] copy = new Insn[SLOTS];
        for (int slot = 0; slot < SLOTS; slot++) {
            Insn insn = (Insn) SLOT.getAcquire(insns, slot);
            copy[slot] = insn == UNDECODED || isInterpreted(insn) ? null : translator.gates().prepare(insn);
        }
        return copy;
    }

    @Override
    public boolean isTranslated(int slot) {
        return region(slot) != null;
    }

    /** Code that is translated never misaligns SP, so it need not look at it. */
    private static boolean isInterpreted(Insn insn) {
        return insn.op == Ops.CALL_STACK;
    }

    /** Instructions behind the target of a jump by register from which on it is a part of the jump's region. */
    private static final int OFTEN = 16;

    @Override
    public short[] jumpedFrom() {
        short[] often = jumpedFrom.clone();
        for (int slot = 0; slot < SLOTS; slot++) {
            if (region(slot) == null && looked[slot] + heat[slot] + lookEvery < Math.min(OFTEN, translator.policy().hot())) {
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
                heat[entry] = 0;
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
                heat[slot] = -lookEvery;
                looked[slot] = 0;
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
