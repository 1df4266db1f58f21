package gunyah.arm64.decode;

import gunyah.arm64.fp.FpRows;
import gunyah.arm64.semantics.IntegerRows;
import gunyah.arm64.state.CpuFeatures;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;

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
    private static final VarHandle CACHE = MethodHandles.arrayElementVarHandle(Insn[].class);
    private static final ConcurrentHashMap<CpuFeatures, Decoder> DECODERS = new ConcurrentHashMap<>();

    /** The row of every word that no row of the table accepts. */
    public static final InstructionRow UNALLOCATED = new InstructionRow("UNALLOCATED", "x".repeat(32), "", 0, false,
            insn -> true, (cpu, insn) -> {
                throw cpu.undefined();
            });

    private final InstructionRow[][] buckets = new InstructionRow[1 << BUCKET_BITS][];
    private final Insn[] cache = new Insn[1 << CACHE_BITS];

    private Decoder(List<InstructionRow> rows) {
        int[] masks = rows.stream().mapToInt(InstructionRow::mask).toArray();
        int[] values = rows.stream().mapToInt(InstructionRow::value).toArray();
        int top = -1 << 32 - BUCKET_BITS;
        List<InstructionRow> members = new ArrayList<>();
        for (int bucket = 0; bucket < buckets.length; bucket++) {
            members.clear();
            for (int i = 0; i < masks.length; i++) {
                if (((bucket << 32 - BUCKET_BITS ^ values[i]) & masks[i] & top) == 0) {
                    members.add(rows.get(i));
                }
            }
            members.sort(Comparator.comparingInt(row -> -Integer.bitCount(row.mask())));
            buckets[bucket] = members.toArray(InstructionRow[]::new);
        }
    }

    /** {@return the decoder of CPUs with these features} */
    public static Decoder of(CpuFeatures features) {
        return DECODERS.computeIfAbsent(features, wanted -> {
            List<InstructionRow> rows = rows();
            check(rows);
            return new Decoder(rows.stream().filter(row -> wanted.has(row.feature())).toList());
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
        for (InstructionRow row : rows) {
            if (!row.pattern().matches("[01a-zA-Z]{32}")) {
                throw new IllegalStateException(row.name() + ": bad pattern " + row.pattern());
            }
        }
        int count = rows.size();
        int[] masks = rows.stream().mapToInt(InstructionRow::mask).toArray();
        int[] values = rows.stream().mapToInt(InstructionRow::value).toArray();
        for (int i = 0; i < count; i++) {
            for (int j = i + 1; j < count; j++) {
                if (((values[i] ^ values[j]) & masks[i] & masks[j]) == 0
                        && Integer.bitCount(masks[i]) == Integer.bitCount(masks[j])) {
                    throw new IllegalStateException("rows %s and %s overlap".formatted(rows.get(i).name(),
                            rows.get(j).name()));
                }
                if (rows.get(i).name().equals(rows.get(j).name())) {
                    throw new IllegalStateException("two rows are called " + rows.get(i).name());
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

    private Insn decodeFresh(int word) {
        for (InstructionRow row : buckets[word >>> 32 - BUCKET_BITS]) {
            if (row.matches(word)) {
                Insn insn = new Insn(word, row);
                insn.op = row.op();
                if (!row.fields().decode(insn)) {
                    break;
                }
                if (insn.op == Ops.CALL && row.branches()) {
                    insn.op = Ops.CALL_BRANCH;
                }
                return insn;
            }
        }
        return new Insn(word, UNALLOCATED);
    }
}
