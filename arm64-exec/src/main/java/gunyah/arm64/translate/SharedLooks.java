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
 * answers for all: fields of a structure, and an array's elements when the loop is written several times. The first of
 * them asks whether all bytes between the lowest and the highest lie in one page that the TLB allows, and keeps their
 * host address in a local. The vCPU takes part in changes of translations only between two runs of the block, or by an
 * instruction that may write every register, so the answer holds until then.
 */
final class SharedLooks {
    /** Most bytes from the lowest to the highest: the more, the oftener a page ends between them. */
    private static final int NEAR = 256;

    /**
     * The look of one access.
     *
     * @param group  its number among those of the block
     * @param first  whether this access asks for all
     * @param loads  whether one of them reads
     * @param stores whether one of them writes
     * @param lowest what to add to the place's registers, as they are before the instruction: the lowest byte
     * @param last   from there to the last byte
     * @param offset from there to the access
     */
    record Look(int group, boolean first, boolean loads, boolean stores, long lowest, int last, long offset) {
    }

    /** {@code base + (index << shift) + moved}: base and index are numbers of values, -1 for no index. */
    private record Sum(int base, int index, int shift, long moved) {
        Sum plus(long more) {
            return new Sum(base, index, shift, moved + more);
        }

        /** {@return this and {@code other << by}, or null when that is no such sum} */
        Sum plus(Sum other, int by) {
            boolean simple = index < 0 && other.index < 0;
            return simple ? new Sum(base, other.base, by, moved + (other.moved << by)) : null;
        }
    }

    private record Access(int copy, int slot, boolean store, long moved, long start, long end) {
    }

    private static final class Group {
        private final List<Access> accesses = new ArrayList<>();
        private long lowest = Long.MAX_VALUE;
        private long end = Long.MIN_VALUE;

        private boolean accepts(Access access) {
            return Math.max(end, access.end) - Math.min(lowest, access.start) <= NEAR;
        }

        private void add(Access access) {
            accesses.add(access);
            lowest = Math.min(lowest, access.start);
            end = Math.max(end, access.end);
        }
    }

    private final RegionFlow flow;
    private final RegionFlow.Block block;
    private final Look[][] looks;
    private final List<Group> groups = new ArrayList<>();
    /** By what their accesses have in common: sums that move by nothing. */
    private final Map<Sum, Group> open = new HashMap<>();
    /** What registers hold. */
    private final Sum[] sums = new Sum[CpuState.SP + 1];
    private int values;
    private int saved;

    /** @param copies how often the block is written one after another */
    SharedLooks(RegionFlow flow, RegionFlow.Block block, int copies) {
        this.flow = flow;
        this.block = block;
        looks = new Look[copies][block.last() - block.first() + 1];
        for (int register = 0; register <= CpuState.SP; register++) {
            sums[register] = value();
        }
        for (int copy = 0; copy < copies; copy++) {
            for (int slot = block.first(); slot <= block.last(); slot++) {
                step(flow.insn(slot), copy, slot);
            }
        }
        groups.removeIf(group -> group.accesses.size() == 1);
        for (int number = 0; number < groups.size(); number++) {
            share(groups.get(number), number);
        }
    }

    private void share(Group group, int number) {
        saved += group.accesses.size() - 1;
        boolean stores = group.accesses.stream().anyMatch(Access::store);
        boolean loads = !group.accesses.stream().allMatch(Access::store);
        for (Access access : group.accesses) {
            looks[access.copy][access.slot - block.first()] = new Look(number, access == group.accesses.getFirst(), loads,
                    stores, group.lowest - access.moved, (int) (group.end - group.lowest) - 1,
                    access.start - group.lowest);
        }
    }

    /** {@return how many looks are not taken because another answers} */
    int saved() {
        return saved;
    }

    /** {@return the look that the access of a slot shares, or null} */
    Look of(int copy, int slot) {
        return looks[copy][slot - block.first()];
    }

    private Sum value() {
        return new Sum(values++, -1, 0, 0);
    }

    private void step(Insn insn, int copy, int slot) {
        Place general = MemoryEmitter.place(insn);
        Place place = general == null ? VectorEmitter.place(insn) : general;
        if (place != null) {
            add(place, copy, slot);
        }
        Effects effects = Effects.of(insn);
        if (effects.isEverything()) {
            open.clear();
        }
        Sum made = made(insn);
        for (long left = effects.writes() & 0xFFFF_FFFFL; left != 0; left &= left - 1) {
            int register = Long.numberOfTrailingZeros(left);
            boolean loaded = general != null && (register == insn.rd || register == insn.ra);
            boolean steps = place != null && register == place.base() && !loaded;
            sums[register] = steps ? sums[register].plus(place.step()) : made != null ? made : value();
        }
    }

    private void add(Place place, int copy, int slot) {
        Sum base = sums[place.base()];
        Sum sum = place.index() == Place.NONE ? base : base.plus(sums[place.index()], place.shift());
        if (sum == null) {
            return;
        }
        long start = sum.moved + place.offset();
        boolean store = flow.insn(slot).row.name().startsWith("ST");
        Access access = new Access(copy, slot, store, sum.moved, start, start + place.bytes());
        Sum common = sum.plus(-sum.moved);
        Group group = open.get(common);
        if (group == null || !group.accepts(access)) {
            group = new Group();
            groups.add(group);
            open.put(common, group);
        }
        group.add(access);
    }

    /** {@return the result when it is a sum of what registers held, else null} */
    private Sum made(Insn insn) {
        if (insn.rd > CpuState.SP || insn.op != Ops.MOV_X && insn.rn > CpuState.SP) {
            return null;
        }
        return switch (insn.op) {
            case Ops.ADD_IMM_X, Ops.ADDS_IMM_X -> sums[insn.rn].plus(insn.imm);
            case Ops.SUBS_IMM_X -> sums[insn.rn].plus(-insn.imm);
            case Ops.MOV_X -> insn.rm > CpuState.SP ? null : sums[insn.rm];
            case Ops.ADD_LSL_X -> insn.rm > CpuState.SP ? null : sums[insn.rn].plus(sums[insn.rm], insn.a);
            default -> null;
        };
    }
}
