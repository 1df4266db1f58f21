package gunyah.hyp.vic;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The rules of GICv3 (IHI 0069, chapters 4 and 12) and of Gunyah's sources, as plainly as they can be said: every
 * question is answered by looking at all lines. Independent of the implementation.
 */
final class VicModel {
    static final int SPURIOUS = 1023;
    static final int IDLE = 0xFF;

    /** One interrupt. */
    static final class Line {
        final int intid;
        boolean enabled;
        boolean group1;
        boolean edge;
        boolean active;
        /** An edge since the last acknowledge. */
        boolean latch;
        boolean sourceLevel;
        boolean softwareLevel;
        boolean messageLevel;
        int priority;
        long route;
        boolean bound;
        /** What the source says when it is asked. */
        boolean held;

        Line(int intid) {
            this.intid = intid;
            this.edge = intid < 16;
        }

        boolean pending() {
            return edge ? latch : sourceLevel || softwareLevel || messageLevel;
        }

        /** The source of a level is asked whether it still holds it. An edge since the acknowledge counts once more. */
        void settle() {
            if (bound && sourceLevel && !edge && !held) {
                sourceLevel = latch;
                latch = false;
            }
        }
    }

    /** One vCPU's interface. */
    final class Cpu {
        final int index;
        final Map<Integer, Line> own = new TreeMap<>();
        boolean attached = true;
        int mask;
        int bpr0;
        int bpr1;
        boolean common;
        boolean split;
        boolean group0;
        boolean group1;
        final TreeSet<Integer> active0 = new TreeSet<>();
        final TreeSet<Integer> active1 = new TreeSet<>();

        Cpu(int index, int[] privateIds) {
            this.index = index;
            for (int intid : privateIds) {
                own.put(intid, new Line(intid));
            }
            reset();
        }

        void reset() {
            mask = 0;
            bpr0 = 2;
            bpr1 = 3;
            common = false;
            split = false;
            group0 = false;
            group1 = false;
            active0.clear();
            active1.clear();
        }

        /** What competes, most urgent first. */
        List<Line> candidates() {
            List<Line> candidates = new ArrayList<>();
            for (Line line : own.values()) {
                add(candidates, line);
            }
            for (Line line : shared.values()) {
                if (line.route == index) {
                    add(candidates, line);
                }
            }
            candidates.sort(Comparator.comparingInt((Line line) -> line.priority).thenComparingInt(line -> line.intid));
            return candidates;
        }

        private void add(List<Line> candidates, Line line) {
            boolean groupOn = line.group1 ? group1 && enable1 : group0 && enable0;
            if (line.enabled && line.pending() && !line.active && groupOn) {
                candidates.add(line);
            }
        }

        private int grouped(int priority, boolean inGroup1) {
            int low = inGroup1 && !common ? bpr1 : bpr0 + 1;
            return priority >> low << low & 0xFF;
        }

        int running() {
            int lowest = IDLE;
            for (TreeSet<Integer> active : List.of(active0, active1)) {
                lowest = active.isEmpty() ? lowest : Math.min(lowest, active.first());
            }
            return lowest;
        }

        /** The interrupt that the vCPU is signalled, or null. */
        Line signalled() {
            List<Line> candidates = candidates();
            if (candidates.isEmpty()) {
                return null;
            }
            Line best = candidates.getFirst();
            boolean preempts = running() == IDLE
                    || grouped(best.priority, best.group1) < grouped(running(), best.group1);
            return best.priority < mask && preempts ? best : null;
        }

        int highestPending(boolean inGroup1) {
            List<Line> candidates = candidates();
            return candidates.isEmpty() || candidates.getFirst().group1 != inGroup1 ? SPURIOUS
                    : candidates.getFirst().intid;
        }

        int acknowledge(boolean inGroup1) {
            Line line = signalled();
            if (line == null || line.group1 != inGroup1) {
                return SPURIOUS;
            }
            (inGroup1 ? active1 : active0).add(grouped(line.priority, inGroup1));
            line.active = true;
            line.latch = false;
            return line.intid;
        }

        void end(int intid, boolean inGroup1) {
            if (line(intid) == null) {
                return;
            }
            (inGroup1 ? active1 : active0).pollFirst();
            if (!split) {
                deactivate(intid);
            }
        }

        void deactivate(int intid) {
            Line line = line(intid);
            if (line != null && line.active) {
                line.settle();
                line.active = false;
            }
        }

        Line line(int intid) {
            Line line = own.get(intid);
            return line == null ? shared.get(intid) : line;
        }
    }

    final Map<Integer, Line> shared = new TreeMap<>();
    final List<Cpu> cpus = new ArrayList<>();
    boolean enable0;
    boolean enable1;

    VicModel(int vcpus, int[] privateIds, int[] sharedIds) {
        for (int index = 0; index < vcpus; index++) {
            cpus.add(new Cpu(index, privateIds));
        }
        for (int intid : sharedIds) {
            shared.put(intid, new Line(intid));
        }
    }

    void assertSource(Line line, boolean edgeOnly) {
        line.latch = true;
        line.sourceLevel |= !edgeOnly;
    }

    void clearSource(Line line) {
        line.latch = false;
        line.sourceLevel = false;
    }

    /** A software generated interrupt. */
    void send(int sender, int intid, int targets, boolean allOthers, boolean reachesGroup1) {
        for (Cpu cpu : cpus) {
            boolean named = allOthers ? cpu.index != sender : (targets >>> cpu.index & 1) != 0;
            Line line = cpu.own.get(intid);
            if (cpu.attached && named && (reachesGroup1 || !line.group1)) {
                line.latch = true;
            }
        }
    }

    /** One bit written to one of the arrays IGROUPR, ISENABLER, ICENABLER, ISPENDR, ICPENDR, ISACTIVER, ICACTIVER. */
    void writeBit(int array, Line line, boolean one) {
        if (array == 0) {
            line.group1 = one;
        }
        if (array == 0 || !one) {
            return;
        }
        switch (array) {
            case 1 -> line.enabled = true;
            case 2 -> {
                line.settle();
                line.enabled = false;
            }
            case 3 -> {
                line.latch |= line.edge;
                line.softwareLevel |= !line.edge;
            }
            case 4 -> {
                line.settle();
                line.latch = false;
                line.softwareLevel = false;
            }
            case 5 -> line.active = true;
            default -> {
                line.settle();
                line.active = false;
            }
        }
    }

    void configure(Line line, boolean edge) {
        line.edge = edge;
        if (!edge) {
            line.softwareLevel = false;
            line.messageLevel = false;
            line.settle();
        }
    }

    void message(Line line, boolean set) {
        if (set) {
            line.latch |= line.edge;
            line.messageLevel |= !line.edge;
        } else {
            line.latch = false;
            line.messageLevel = false;
        }
    }
}
