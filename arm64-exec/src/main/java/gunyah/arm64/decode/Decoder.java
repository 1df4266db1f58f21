package gunyah.arm64.decode;

import static java.util.Comparator.comparingInt;

import gunyah.arm64.fp.FpRows;
import gunyah.arm64.semantics.IntegerRows;
import gunyah.arm64.state.CpuFeatures;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;

/**
 * Turns instruction words into {@link Insn}s. One decoder per set of features, shared by all CPUs that have it; thread
 * safe. Rows are bucketed by their top eleven bits; in a bucket the row with the most fixed bits wins, and two rows
 * that overlap with equally many are a mistake in the table that fails at class load.
 *
 * <p>Decoding depends on the word alone, so equal words of all pages and VMs share one {@code Insn}: a bounded,
 * direct-mapped cache keeps the recent ones.
 */
public final class Decoder {
    private static final int BUCKET_BITS = 11;
    private static final int CACHE_BITS = 17;
    private static final Pattern PATTERN = Pattern.compile("[01a-zA-Z]{32}");
    private static final VarHandle CACHE = MethodHandles.arrayElementVarHandle(Insn[].class);
    private static final ConcurrentHashMap<CpuFeatures, Decoder> DECODERS = new ConcurrentHashMap<>();

    /** The row of every word that no row of the table accepts. */
    public static final InstructionRow UNALLOCATED = new InstructionRow("UNALLOCATED", "x".repeat(32), "", 0, false,
            insn -> true, (cpu, insn) -> {
                throw cpu.undefined();
            });

    private final Entry[][] buckets = new Entry[1 << BUCKET_BITS][];
    private final boolean branchTypes;
    private final Insn[] cache = new Insn[1 << CACHE_BITS];

    /** A row with its fixed bits worked out. */
    private record Entry(int mask, int value, InstructionRow row) {
        static Entry of(InstructionRow row) {
            return new Entry(row.mask(), row.value(), row);
        }

        int fixedBits() {
            return Integer.bitCount(mask);
        }

        boolean overlaps(Entry other) {
            return ((value ^ other.value) & mask & other.mask) == 0;
        }
    }

    /** @param branchTypes BR and BLR set PSTATE.BTYPE, which their semantics does and no engine in line */
    private Decoder(List<InstructionRow> rows, boolean branchTypes) {
        this.branchTypes = branchTypes;
        List<Entry> entries = rows.stream().map(Entry::of).sorted(comparingInt(Entry::fixedBits).reversed()).toList();
        int top = -1 << 32 - BUCKET_BITS;
        List<Entry> members = new ArrayList<>();
        for (int bucket = 0; bucket < buckets.length; bucket++) {
            members.clear();
            for (Entry entry : entries) {
                if (((bucket << 32 - BUCKET_BITS ^ entry.value) & entry.mask & top) == 0) {
                    members.add(entry);
                }
            }
            buckets[bucket] = members.toArray(Entry[]::new);
        }
    }

    /** {@return the decoder of CPUs with these features} */
    public static Decoder of(CpuFeatures features) {
        return DECODERS.computeIfAbsent(features, wanted -> {
            List<InstructionRow> rows = rows();
            check(rows);
            return new Decoder(rows.stream().filter(row -> wanted.has(row.feature())).toList(),
                    wanted.has(CpuFeatures.Feature.BTI));
        });
    }

    /** {@return the whole A64 table, gated rows included} */
    public static List<InstructionRow> rows() {
        List<InstructionRow> rows = new ArrayList<>(IntegerRows.rows());
        rows.addAll(FpRows.ROWS);
        return rows;
    }

    /**
     * Checks the table.
     *
     * @throws IllegalStateException when a pattern is not 32 characters of 0, 1 or a letter, a name appears twice, or
     *         two rows overlap with equally many fixed bits
     */
    static void check(List<InstructionRow> rows) {
        Set<String> names = new HashSet<>();
        for (InstructionRow row : rows) {
            if (!PATTERN.matcher(row.pattern()).matches()) {
                throw new IllegalStateException(row.name() + ": bad pattern " + row.pattern());
            }
            if (!names.add(row.name())) {
                throw new IllegalStateException("two rows are called " + row.name());
            }
        }
        List<Entry> entries = rows.stream().map(Entry::of).toList();
        for (int i = 0; i < entries.size(); i++) {
            for (int j = i + 1; j < entries.size(); j++) {
                Entry first = entries.get(i);
                Entry second = entries.get(j);
                if (first.overlaps(second) && first.fixedBits() == second.fixedBits()) {
                    throw new IllegalStateException("rows %s and %s overlap".formatted(first.row.name(),
                            second.row.name()));
                }
            }
        }
    }

    /** {@return the decoded instruction; for a word that is unallocated or reserved one whose meaning is UNDEFINED} */
    public Insn decode(int word) {
        int slot = (word * 0x9E37_79B1) >>> 32 - CACHE_BITS;
        // acquire; pairs with the release below, so that the operand fields are seen
        Insn cached = (Insn) CACHE.getAcquire(cache, slot);
        if (cached != null && cached.word == word) {
            return cached;
        }
        Insn insn = decodeFresh(word);
        CACHE.setRelease(cache, slot, insn);
        return insn;
    }

    /** {@return the row of the word, {@link #UNALLOCATED} when it has none or is reserved}; leaves the cache alone */
    public InstructionRow classify(int word) {
        return decodeFresh(word).row;
    }

    private Insn decodeFresh(int word) {
        for (Entry entry : buckets[word >>> 32 - BUCKET_BITS]) {
            if ((word & entry.mask) == entry.value) {
                InstructionRow row = entry.row;
                Insn insn = new Insn(word, row);
                insn.op = row.op();
                if (!row.fields().decode(insn)) {
                    break;
                }
                if (insn.op == Ops.CALL && row.branches() || branchTypes && BranchTarget.setsType(word)) {
                    insn.op = Ops.CALL_BRANCH;
                } else if (StackPointer.mayMisalign(word)) {
                    insn.op = Ops.CALL_STACK;
                }
                return insn;
            }
        }
        return new Insn(word, UNALLOCATED);
    }
}
