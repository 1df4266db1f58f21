package gunyah.hyp.vic;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.hyp.HypError;
import gunyah.hyp.addrspace.MmioDevice;
import gunyah.hyp.model.Sequences;
import gunyah.hyp.vic.VicModel.Cpu;
import gunyah.hyp.vic.VicModel.Line;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/**
 * Random register writes, assertions, acknowledges, ends, routes, resets and departures of vCPUs on a controller and on
 * {@link VicModel}: after each, every vCPU is signalled the same and shows the same priorities. At the end every line
 * shows the same, and what is pending is delivered: all of it, each once, the most urgent first.
 */
class VicModelTest {
    private static final int VCPUS = 3;
    private static final int[] PRIVATE = {0, 1, 15, 16, 27, 31};
    private static final int[] SHARED = {32, 33, 63, 64, 1019, 4096, 4097, 4159};
    private static final int[] PRIORITIES = {0x00, 0x08, 0x48, 0x80, 0x88, 0xA0, 0xF8};
    private static final int ARRAYS = 7;

    @Test
    void everySignalAndEveryLineIsTheModels() {
        Set<String> seen = new TreeSet<>();

        Sequences.run(400, 250, () -> new Subject(seen));

        assertThat(seen).as("what happened").contains("acknowledged", "spurious", "nested", "fiq", "redelivered level",
                "kept by a new assertion", "rerouted while active", "drained");
    }

    private static final class Subject implements Sequences.Subject {
        private final VicBoard board = new VicBoard(VCPUS, Vic.MAX_SPIS + 64);
        private final VicModel model = new VicModel(VCPUS, PRIVATE, SHARED);
        private final Map<Line, VicBoard.Source> sources = new HashMap<>();
        private final List<Deque<Integer>> taken = new ArrayList<>();
        private final Set<String> seen;
        private int[] n;

        Subject(Set<String> seen) {
            this.seen = seen;
            for (Line line : model.shared.values()) {
                sources.put(line, new VicBoard.Source());
                bind(line, null);
            }
            for (Cpu cpu : model.cpus) {
                taken.add(new ArrayDeque<>());
                bindPrivate(cpu);
                bringUp(cpu);
            }
            writeArray(null, model.shared.get(33), 0, false);
            writeArray(null, model.shared.get(4097), 0, false);
            priority(null, model.shared.get(33), 0x80);
            priority(null, model.shared.get(63), 0x48);
            distributorControl(3);
        }

        private void bindPrivate(Cpu cpu) {
            for (Line line : cpu.own.values()) {
                if (line.intid >= 16) {
                    sources.put(line, new VicBoard.Source());
                    bind(line, cpu);
                }
            }
        }

        /** A vCPU that takes everything, so that random steps start where something happens. */
        private void bringUp(Cpu cpu) {
            icc(cpu, IccRegister.PMR, 0xF8);
            icc(cpu, IccRegister.IGRPEN0, 1);
            icc(cpu, IccRegister.IGRPEN1, 1);
            for (Line line : cpu.own.values()) {
                writeArray(cpu, line, 0, true);
                writeArray(cpu, line, 1, true);
                priority(cpu, line, 0xA0);
            }
            for (Line line : model.shared.values()) {
                writeArray(null, line, 0, true);
                writeArray(null, line, 1, true);
                priority(null, line, 0xA0);
            }
        }

        @Override
        public String step(int[] numbers) {
            n = numbers;
            List<Integer> wakeUps = board.targets.stream().map(target -> target.wakeUps).toList();
            List<Boolean> before = model.cpus.stream().map(cpu -> cpu.attached && cpu.signalled() != null).toList();
            String what = command();
            for (Cpu cpu : model.cpus) {
                if (cpu.attached) {
                    compare(cpu, what);
                    boolean rose = cpu.signalled() != null && !before.get(cpu.index);
                    if (rose) {
                        assertThat(board.targets.get(cpu.index).wakeUps).as("wake-up of vCPU %d after %s", cpu.index,
                                what).isGreaterThan(wakeUps.get(cpu.index));
                    }
                }
            }
            return what;
        }

        private String command() {
            Cpu cpu = model.cpus.get(n[1] % VCPUS);
            Line line = pick(cpu, n[2]);
            return switch (n[0] % 26) {
                case 0, 1, 2, 3 -> assertSource(line, false);
                case 4, 5 -> assertSource(line, true);
                case 6, 7 -> release(line);
                case 8 -> clear(line);
                case 9, 10, 11, 12 -> acknowledge(cpu, n[3] % 8 != 0);
                case 13, 14, 15 -> endLast(cpu);
                case 16 -> end(cpu, n[3] % 4 == 0 ? 1020 + n[4] % 4 : line.intid, n[5] % 4 != 0);
                case 17 -> deactivate(cpu, line.intid);
                case 18, 19 -> writeArray(owner(cpu, line), line, n[3] % ARRAYS, n[4] % 2 == 0);
                case 20 -> priority(owner(cpu, line), line, PRIORITIES[n[3] % PRIORITIES.length]);
                case 21 -> line.intid < 16 ? send(cpu) : configure(owner(cpu, line), line, n[3] % 2 == 0);
                case 22 -> line.intid < 32 ? send(cpu) : route(line, new int[] {0, 1, 2, 7}[n[3] % 4]);
                case 23 -> line.intid < 32 ? send(cpu) : message(line, n[3] % 2 == 0);
                case 24 -> control(cpu);
                default -> rare(cpu, line);
            };
        }

        private String rare(Cpu cpu, Line line) {
            return switch (n[3] % 5) {
                case 0 -> distributorControl(n[4] % 4);
                case 1 -> resetCpu(cpu);
                case 2 -> cpu.attached ? detach(cpu) : attach(cpu);
                default -> line.intid < 16 ? send(cpu) : line.bound ? unbind(line) : bind(line, owner(cpu, line));
            };
        }

        /** The lines of a vCPU that is away are not there either. */
        private Line pick(Cpu cpu, int number) {
            int privates = cpu.attached ? PRIVATE.length : 0;
            int at = number % (privates + SHARED.length);
            return at < privates ? cpu.own.get(PRIVATE[at]) : model.shared.get(SHARED[at - privates]);
        }

        private static Cpu owner(Cpu cpu, Line line) {
            return line.intid < 32 ? cpu : null;
        }

        // Sources.

        private String assertSource(Line line, boolean edgeOnly) {
            VicBoard.Source source = sources.get(line);
            if (source == null) {
                return "nothing asserts " + line.intid;
            }
            line.held |= !edgeOnly;
            source.level = line.held;
            source.assertVirq(edgeOnly);
            if (line.bound) {
                if (line.active && !line.edge && !edgeOnly) {
                    seen.add("kept by a new assertion");
                }
                model.assertSource(line, edgeOnly);
            }
            return "assert " + line.intid + (edgeOnly ? " edge" : "");
        }

        private String release(Line line) {
            line.held = false;
            if (sources.containsKey(line)) {
                sources.get(line).level = false;
            }
            return "release " + line.intid;
        }

        private String clear(Line line) {
            if (sources.containsKey(line)) {
                sources.get(line).clearVirq();
                if (line.bound) {
                    model.clearSource(line);
                }
            }
            return "clear " + line.intid;
        }

        private String bind(Line line, Cpu cpu) {
            VicBoard.Source source = sources.get(line);
            HypError error = cpu == null ? board.vic.bind(source, line.intid)
                    : board.vic.bindPrivate(source, cpu.index, line.intid);
            assertThat(error).isEqualTo(HypError.OK);
            line.bound = true;
            return "bind " + line.intid;
        }

        private String unbind(Line line) {
            board.vic.unbind(sources.get(line));
            line.bound = false;
            model.clearSource(line);
            return "unbind " + line.intid;
        }

        // The CPU interface.

        private String acknowledge(Cpu cpu, boolean group1) {
            if (!cpu.attached) {
                return "away";
            }
            boolean nested = cpu.running() != VicModel.IDLE;
            int expected = cpu.acknowledge(group1);
            assertThat(board.read(cpu.index, group1 ? IccRegister.IAR1 : IccRegister.IAR0))
                    .as("IAR%d of vCPU %d", group1 ? 1 : 0, cpu.index).isEqualTo(expected);
            seen.add(expected == VicModel.SPURIOUS ? "spurious" : nested ? "nested" : "acknowledged");
            if (expected != VicModel.SPURIOUS) {
                taken.get(cpu.index).push(expected << 1 | (group1 ? 1 : 0));
                seen.add(group1 ? "irq" : "fiq");
            }
            return "vCPU " + cpu.index + " acknowledges " + expected;
        }

        private String endLast(Cpu cpu) {
            if (!cpu.attached || taken.get(cpu.index).isEmpty()) {
                return "nothing to end";
            }
            int last = taken.get(cpu.index).pop();
            Line line = cpu.line(last >> 1);
            if (line.sourceLevel && line.held && !line.edge) {
                seen.add("redelivered level");
            }
            return end(cpu, last >> 1, (last & 1) != 0);
        }

        private String end(Cpu cpu, int intid, boolean group1) {
            if (!cpu.attached) {
                return "away";
            }
            board.write(cpu.index, group1 ? IccRegister.EOIR1 : IccRegister.EOIR0, intid);
            cpu.end(intid, group1);
            return "vCPU " + cpu.index + " ends " + intid + (group1 ? "" : " of group 0");
        }

        private String deactivate(Cpu cpu, int intid) {
            if (!cpu.attached) {
                return "away";
            }
            board.write(cpu.index, IccRegister.DIR, intid);
            cpu.deactivate(intid);
            return "vCPU " + cpu.index + " deactivates " + intid;
        }

        private String control(Cpu cpu) {
            if (!cpu.attached) {
                return "away";
            }
            return switch (n[3] % 6) {
                case 0 -> icc(cpu, IccRegister.PMR, n[4] % 3 == 0 ? n[5] & 0xFF : 0xF8);
                case 1 -> icc(cpu, IccRegister.BPR0, n[4] % 8);
                case 2 -> icc(cpu, IccRegister.BPR1, n[4] % 8);
                case 3 -> icc(cpu, IccRegister.CTLR, n[4] % 4);
                case 4 -> icc(cpu, IccRegister.IGRPEN0, n[4] % 2);
                default -> icc(cpu, IccRegister.IGRPEN1, n[4] % 4 == 0 ? 0 : 1);
            };
        }

        private String icc(Cpu cpu, IccRegister register, int value) {
            board.write(cpu.index, register, value);
            switch (register) {
                case PMR -> cpu.mask = value & 0xF8;
                case BPR0 -> cpu.bpr0 = Math.max(value, 2);
                case BPR1 -> cpu.bpr1 = cpu.common ? cpu.bpr1 : Math.max(value, 3);
                case CTLR -> {
                    cpu.common = (value & 1) != 0;
                    cpu.split = (value & 2) != 0;
                }
                case IGRPEN0 -> cpu.group0 = value != 0;
                case IGRPEN1 -> cpu.group1 = value != 0;
                case AP0R0, AP1R0 -> (register == IccRegister.AP0R0 ? cpu.active0 : cpu.active1).clear();
                default -> throw new IllegalArgumentException(register.toString());
            }
            return "vCPU %d: %s = 0x%x".formatted(cpu.index, register, value);
        }

        private String send(Cpu cpu) {
            if (!cpu.attached) {
                return "away";
            }
            int intid = new int[] {0, 1, 15}[n[4] % 3];
            int targets = n[5] & 7;
            boolean others = n[6] % 4 == 0;
            IccRegister register = n[7] % 4 == 0 ? n[7] % 8 == 0 ? IccRegister.SGI0R : IccRegister.ASGI1R
                    : IccRegister.SGI1R;
            board.write(cpu.index, register, (long) intid << 24 | (others ? 1L << 40 : 0) | targets);
            model.send(cpu.index, intid, targets, others, register == IccRegister.SGI1R);
            return "vCPU %d sends %d by %s to %s".formatted(cpu.index, intid, register, others ? "others" : targets);
        }

        // Register frames. A null vCPU stands for the distributor.

        private MmioDevice frame(Cpu cpu) {
            return cpu == null ? board.distributor : board.redistributors.get(cpu.index);
        }

        private String writeArray(Cpu cpu, Line line, int array, boolean one) {
            // A group bit is written with those of its word as they are, the others alone.
            int bit = line.intid % 32;
            long value = one ? 1L << bit : 0;
            if (array == 0) {
                value |= frame(cpu).read(0, arrayOffset(line.intid, 0), 4) & ~(1L << bit);
            }
            assertThat(frame(cpu).write(0, arrayOffset(line.intid, array), 4, value)).isTrue();
            model.writeBit(array, line, one);
            return "array %d of %d = %s".formatted(array, line.intid, one);
        }

        private static int arrayOffset(int intid, int array) {
            return intid < 32 ? 0x1_0000 + 0x80 + 0x80 * array
                    : intid < 1020 ? 0x80 + 0x80 * array + intid / 32 * 4
                    : 0x1000 + 0x200 * array + (intid - 4096) / 32 * 4;
        }

        private String priority(Cpu cpu, Line line, int value) {
            int offset = line.intid < 32 ? 0x1_0400 + line.intid
                    : line.intid < 1020 ? 0x400 + line.intid : 0x2000 + line.intid - 4096;
            frame(cpu).write(0, offset, 1, value);
            line.priority = value;
            return "priority of %d = 0x%x".formatted(line.intid, value);
        }

        private String configure(Cpu cpu, Line line, boolean edge) {
            int offset = line.intid < 32 ? 0x1_0C04
                    : line.intid < 1020 ? 0xC00 + line.intid / 16 * 4 : 0x3000 + (line.intid - 4096) / 16 * 4;
            long bit = 2L << line.intid % 16 * 2;
            long old = frame(cpu).read(0, offset, 4);
            frame(cpu).write(0, offset, 4, edge ? old | bit : old & ~bit);
            // The whole register is written: its other level lines are looked at as well.
            for (Line other : cpu == null ? model.shared.values() : cpu.own.values()) {
                if (other.intid / 16 == line.intid / 16) {
                    model.configure(other, other == line ? edge : other.edge);
                }
            }
            return "%d is %s".formatted(line.intid, edge ? "edge" : "level");
        }

        private String route(Line line, int affinity) {
            if (line.active && line.route != affinity) {
                seen.add("rerouted while active");
            }
            int offset = line.intid < 1020 ? 0x6000 + 8 * line.intid : 0x8000 + 8 * (line.intid - 4096);
            board.distributor.write(0, offset, 8, affinity);
            line.route = affinity;
            return "%d goes to %d".formatted(line.intid, affinity);
        }

        private String message(Line line, boolean set) {
            board.distributor.write(0, set ? 0x40 : 0x48, 4, line.intid);
            model.message(line, set);
            return (set ? "message " : "message back ") + line.intid;
        }

        private String distributorControl(int groups) {
            board.distributor.write(0, 0, 4, groups | 0x10);
            model.enable0 = (groups & 1) != 0;
            model.enable1 = (groups & 2) != 0;
            return "groups " + groups;
        }

        // vCPUs.

        private String resetCpu(Cpu cpu) {
            if (!cpu.attached) {
                return "away";
            }
            board.vic.resetCpuInterface(cpu.index);
            cpu.reset();
            return "vCPU " + cpu.index + " is reset";
        }

        private String detach(Cpu cpu) {
            for (Line line : cpu.own.values()) {
                if (line.bound) {
                    unbind(line);
                }
                sources.remove(line);
            }
            board.vic.detach(cpu.index);
            cpu.attached = false;
            return "vCPU " + cpu.index + " goes";
        }

        private String attach(Cpu old) {
            VicBoard.Target target = new VicBoard.Target();
            assertThat(board.vic.attach(target, old.index)).isEqualTo(HypError.OK);
            board.targets.set(old.index, target);
            board.redistributors.set(old.index, board.vic.frame(old.index + 1));
            Cpu cpu = model.new Cpu(old.index, PRIVATE);
            model.cpus.set(old.index, cpu);
            taken.get(old.index).clear();
            bindPrivate(cpu);
            return "vCPU " + old.index + " comes";
        }

        // Comparison.

        private void compare(Cpu cpu, String what) {
            Line signalled = cpu.signalled();
            VicBoard.Target target = board.targets.get(cpu.index);
            String name = "vCPU " + cpu.index + " after " + what;
            assertThat(target.irq).as("IRQ of " + name).isEqualTo(signalled != null && signalled.group1);
            assertThat(target.fiq).as("FIQ of " + name).isEqualTo(signalled != null && !signalled.group1);
            assertThat(board.read(cpu.index, IccRegister.HPPIR0)).as(name).isEqualTo(cpu.highestPending(false));
            assertThat(board.read(cpu.index, IccRegister.HPPIR1)).as(name).isEqualTo(cpu.highestPending(true));
            assertThat(board.read(cpu.index, IccRegister.RPR)).as(name).isEqualTo(cpu.running());
            assertThat(board.read(cpu.index, IccRegister.BPR1)).as(name)
                    .isEqualTo(cpu.common ? Math.min(cpu.bpr0 + 1, 7) : cpu.bpr1);
        }

        @Override
        public void compare() {
            compareLines(null, model.shared.values());
            for (Cpu cpu : model.cpus) {
                if (cpu.attached) {
                    compareLines(cpu, cpu.own.values());
                }
            }
            drain();
        }

        private void compareLines(Cpu cpu, Iterable<Line> lines) {
            for (Line line : lines) {
                boolean[] expected = {line.group1, line.enabled, line.enabled, line.pending(), line.pending(),
                        line.active, line.active};
                for (int array = 0; array < ARRAYS; array++) {
                    long word = frame(cpu).read(0, arrayOffset(line.intid, array), 4);
                    assertThat(word >>> line.intid % 32 & 1).as("array %d of %d", array, line.intid)
                            .isEqualTo(expected[array] ? 1 : 0);
                }
            }
        }

        /** Opens everything and takes what is pending: all of it, each once, the most urgent first. */
        private void drain() {
            distributorControl(3);
            for (Cpu cpu : model.cpus) {
                if (!cpu.attached) {
                    attach(cpu);
                }
            }
            for (Cpu cpu : model.cpus) {
                icc(cpu, IccRegister.CTLR, 0);
                icc(cpu, IccRegister.AP0R0, 0);
                icc(cpu, IccRegister.AP1R0, 0);
                icc(cpu, IccRegister.BPR1, 3);
                bringUp(cpu);
                for (Line line : cpu.own.values()) {
                    open(cpu, line);
                }
            }
            for (Line line : model.shared.values()) {
                open(null, line);
                route(line, line.route > 2 ? 0 : (int) line.route);
            }
            for (Cpu cpu : model.cpus) {
                List<Line> expected = cpu.candidates();
                for (Line line : expected) {
                    assertThat(board.read(cpu.index, IccRegister.IAR1)).as("next of vCPU %d", cpu.index)
                            .isEqualTo(line.intid);
                    if (line.intid >= 32) {
                        board.distributor.write(0, 0x48, 4, line.intid);
                    }
                    frame(owner(cpu, line)).write(0, arrayOffset(line.intid, 4), 4, 1L << line.intid % 32);
                    board.write(cpu.index, IccRegister.EOIR1, line.intid);
                    seen.add("drained");
                }
                assertThat(board.read(cpu.index, IccRegister.IAR1)).as("nothing twice").isEqualTo(VicModel.SPURIOUS);
            }
        }

        private void open(Cpu cpu, Line line) {
            release(line);
            writeArray(cpu, line, 6, true);
        }

        @Override
        public void close() {
            // Nothing runs.
        }
    }
}
