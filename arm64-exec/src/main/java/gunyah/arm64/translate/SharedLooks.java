package gunyah.arm64.translate;

import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.Ops;
import gunyah.arm64.state.CpuState;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Which accesses of a loop of one block go by the same registers to places so near each other that one look into the TLB
 * answers for all: fields of a structure, and an array's elements when the loop is written several times. Bytecode asks
 * at each of them whether all bytes between the lowest and the highest lie in one page that the TLB allows, in the same
 * words, so that C2 asks only once.
 */
final class SharedLooks {
    /** Most bytes from the lowest to the highest: the more, the oftener a page ends between them. */
    private static final int NEAR = 256;

    /**
     * The look of one access.
     *
     * @param lowest  what to add to the place's registers, as they are before the instruction: the lowest byte
     * @param last    from there to the last byte
     * @param offset  from there to the access
     */
    record Look(long lowest, int last, long offset) {
    }

    /** The value of a place's base register, and of its index register or -1. */
    private record Values(long base, long index, int shift) {
    }

    /** {@code moved}: what has been added to the registers since their values were called {@code values}. */
    private record Access(int copy, int slot, Place place, Values values, long moved) {
        long start() {
            return moved + place.offset();
        }

        long end() {
            return start() + place.bytes();
        }
    }

    private static final class Group {
        private final List<Access> accesses = new ArrayList<>();
        private long lowest = Long.MAX_VALUE;
        private long end = Long.MIN_VALUE;

        private boolean accepts(Access access) {
            return Math.max(end, access.end()) - Math.min(lowest, access.start()) <= NEAR;
        }

        private void add(Access access) {
            accesses.add(access);
            lowest = Math.min(lowest, access.start());
            end = Math.max(end, access.end());
        }
    }

    private final int first;
    private final Look[][] looks;
    private int saved;

    /** @param copies how often the block is written one after another */
    SharedLooks(RegionFlow flow, RegionFlow.Block block, int copies) {
        first = block.first();
        looks = new Look[copies][block.last() - first + 1];
        for (Group group : groups(flow, block, copies)) {
            saved += group.accesses.size() - 1;
            for (Access access : group.accesses) {
                if (group.accesses.size() > 1) {
                    looks[access.copy][access.slot - first] = new Look(group.lowest - access.moved,
                            (int) (group.end - group.lowest) - 1, access.start() - group.lowest);
                }
            }
        }
    }

    /** {@return how many looks are not taken because another answers} */
    int saved() {
        return saved;
    }

    /** {@return the look that the access of a slot shares, or null} */
    Look of(int copy, int slot) {
        return looks[copy][slot - first];
    }

    private static List<Group> groups(RegionFlow flow, RegionFlow.Block block, int copies) {
        List<Group> groups = new ArrayList<>();
        Map<Values, Group> open = new HashMap<>();
        // every value of a register that is not another plus a constant has a number of its own
        long[] value = new long[CpuState.SP + 1];
        long[] moved = new long[CpuState.SP + 1];
        long values = 0;
        for (int register = 0; register <= CpuState.SP; register++) {
            value[register] = values++;
        }
        for (int copy = 0; copy < copies; copy++) {
            for (int slot = block.first(); slot <= block.last(); slot++) {
                Insn insn = flow.insn(slot);
                Access access = access(insn, copy, slot, value, moved);
                if (access != null) {
                    Group group = open.get(access.values);
                    if (group == null || !group.accepts(access)) {
                        group = new Group();
                        groups.add(group);
                        open.put(access.values, group);
                    }
                    group.add(access);
                }
                boolean adds = insn.op == Ops.ADD_IMM_X && insn.rn <= CpuState.SP && insn.rd <= CpuState.SP;
                long source = adds ? value[insn.rn] : 0;
                long movedSource = adds ? moved[insn.rn] + insn.imm : 0;
                long written = Effects.of(insn).writes() & 0xFFFF_FFFFL;
                for (long left = written; left != 0; left &= left - 1) {
                    int register = Long.numberOfTrailingZeros(left);
                    boolean loaded = MemoryEmitter.place(insn) != null && (register == insn.rd || register == insn.ra);
                    if (access != null && register == access.place.base() && !loaded) {
                        moved[register] += access.place.step();
                    } else {
                        value[register] = values++;
                        moved[register] = 0;
                    }
                }
                if (adds) {
                    value[insn.rd] = source;
                    moved[insn.rd] = movedSource;
                }
            }
        }
        return groups;
    }

    private static Access access(Insn insn, int copy, int slot, long[] value, long[] moved) {
        Place general = MemoryEmitter.place(insn);
        Place place = general == null ? VectorEmitter.place(insn) : general;
        if (place == null) {
            return null;
        }
        int base = place.base();
        int index = place.index();
        return index == Place.NONE
                ? new Access(copy, slot, place, new Values(value[base], -1, 0), moved[base])
                : new Access(copy, slot, place, new Values(value[base], value[index], place.shift()),
                        moved[base] + (moved[index] << place.shift()));
    }
}
