package gunyah.hyp.abi;

import gunyah.hyp.HypError;
import gunyah.hyp.HypercallRow;
import gunyah.hyp.HypercallRows;
import gunyah.hyp.ObjectType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;

/** Calls with hostile arguments, for the guest of {@code abi.S}, and what they may answer. */
final class HostileCalls {
    /** Edges of every width, sizes, flags, attributes, options. */
    private static final long[] NUMBERS = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 31, 32, 33, 61, 63, 64, 65, 95, 96,
            127, 128, 255, 256, 257, 987, 988, 1023, 1024, 0xFFF, 0x1000, 0x1001, 0x1FFF, 0x2000, 0x1_0000, 0x2_0000,
            0xFFFE, 0xFFFF, 99_999, 100_000, 100_000_000, 100_000_001, Integer.MAX_VALUE, 1L << 31, 0x8000_0001L,
            0x8000_0003L, 0x8000_00FFL, 0xFFFF_FFFEL, 0xFFFF_FFFFL, 1L << 32, 1L << 32 | 1, 1L << 36,
            (1L << 36) - 0x1000, (1L << 44) - 0x1000, 1L << 47, 1L << 48, (1L << 48) - 0x1000, 1L << 52, 1L << 62,
            Long.MAX_VALUE, Long.MAX_VALUE & -0x1000, Long.MIN_VALUE, Long.MIN_VALUE + 1, Long.MIN_VALUE | 0x1000, -1,
            -2, -3, -8, -15, -16, -0x1000, -0x2000, 0x77, 0x44, 0x1_0007, 0x1_0004, 0x2_0007, 0xF_0077, 0xF_0066,
            0xF_0044, 0x10_0077, 1 << 24 | 40, 4 | 16 << 16, 255 | 1023 << 16, 1L << 63 | 1 << 8 | 1, 1 << 9, 0x300,
            0x1FF, 0xAAAA_AAAA_AAAA_AAAAL, 0x5555_5555_5555_5555L};
    private static final int ROW = Script.ROW_BYTES;

    private static final Set<HypError> OF_CAPABILITIES = EnumSet.of(HypError.ARGUMENT_INVALID, HypError.CSPACE_CAP_NULL,
            HypError.CSPACE_CAP_REVOKED, HypError.CSPACE_WRONG_OBJECT_TYPE, HypError.CSPACE_INSUFFICIENT_RIGHTS,
            HypError.OBJECT_STATE);

    private final HostileWorld world;
    private final Random random;
    private final Map<Integer, HypercallRow> documented = new TreeMap<>();
    private final List<Interface.Call> all = List.copyOf(Interface.calls().values());
    private final long[] values;
    private final List<long[]> rows = new ArrayList<>();
    private final List<Interface.Call> called = new ArrayList<>();

    HostileCalls(HostileWorld world, Random random) {
        this.world = world;
        this.random = random;
        HypercallRows.all().forEach(row -> documented.put(row.number(), row));
        values = values(world);
    }

    private static long[] values(HostileWorld world) {
        Set<Long> all = new HashSet<>(world.ids());
        for (long id : world.ids()) {
            all.add(id ^ 1);
            all.add(id + 1);
            all.add(id ^ Long.MIN_VALUE);
        }
        Arrays.stream(NUMBERS).forEach(all::add);
        long poolBytes = HostileWorld.POOL_PAGES * HostileWorld.PAGE;
        for (long at : new long[] {HostileWorld.RAM, HostileWorld.BUFFER, Arena.UNMAPPED, Arena.NO_STAGE_1,
                HostileWorld.MAPPED, 0x6000_0000L, 0x6100_0000L, 0x0800_0000L, 0x080A_0000L, 0x0900_0000L, poolBytes,
                world.poolPa(), world.poolPa() + poolBytes}) {
            all.addAll(List.of(at, at - 1, at + 1, at - HostileWorld.PAGE, at + HostileWorld.PAGE));
        }
        // would rank with the guest itself
        all.remove(62L);
        return all.stream().mapToLong(Long::longValue).sorted().toArray();
    }

    /** {@return how many hostile values there are for each input by each convention, or one more} */
    int valueCount() {
        return values.length / 2;
    }

    /** Every value in every input of a call, reserved ones included, with plausible others; half by each convention. */
    void sweep(int number) {
        Interface.Call call = Interface.call(number);
        for (int at = 0; at < call.inputs().size(); at++) {
            for (int i = 0; i < values.length; i++) {
                long[] inputs = plausible(call);
                inputs[at] = values[i];
                add(call, i % 2 == 0, inputs);
            }
        }
    }

    /** Any call with arguments any of which may be wrong. */
    void mix(int count) {
        for (int i = 0; i < count; i++) {
            Interface.Call call = all.get(random.nextInt(all.size()));
            long[] inputs = plausible(call);
            for (int at = 0; at < inputs.length; at++) {
                int kind = random.nextInt(8);
                if (kind < 2 || kind < 4 && call.inputs().get(at).kind() == Interface.Kind.VALUE) {
                    inputs[at] = values[random.nextInt(values.length)];
                } else if (kind == 7 && random.nextInt(4) == 0) {
                    inputs[at] = random.nextLong();
                }
            }
            add(call, random.nextBoolean(), inputs);
        }
    }

    private void add(Interface.Call call, boolean isNative, long[] inputs) {
        if (call.number() == 0x46 && inputs[1] == 62) {
            return;
        }
        long[] row = new long[9];
        System.arraycopy(inputs, 0, row, isNative ? 0 : 1, inputs.length);
        row[0] = isNative ? row[0] : 0xC600_8000L | call.number();
        row[8] = isNative ? 1 : 0;
        rows.add(row);
        called.add(call);
    }

    private long[] plausible(Interface.Call call) {
        long[] numbers = numbers(call.number());
        long[] inputs = new long[call.inputs().size()];
        int next = 0;
        Set<ObjectType> before = new HashSet<>();
        for (int at = 0; at < inputs.length; at++) {
            Interface.Input input = call.inputs().get(at);
            inputs[at] = switch (input.kind()) {
                case ZERO -> 0;
                case ONES -> -1;
                case VALUE -> numbers[next++];
                case CAPABILITY -> world.good(input, !before.add(input.type()));
            };
        }
        return inputs;
    }

    private long[] numbers(int number) {
        long page = HostileWorld.PAGE;
        long bell = world.ids().get(world.ids().size() - 5);
        long mapFlags = oneOf(1, 1, 3, 5, 0x8000_0001L);
        return switch (number) {
            case 0x0D, 0x0E, 0x22, 0x59 -> new long[] {bell};
            case 0x0F, 0x24 -> new long[] {world.ids().getFirst(), bell};
            case 0x10, 0x17, 0x18, 0x26, 0x43, 0x4A, 0x4C -> new long[] {40};
            case 0x12, 0x13, 0x39, 0x5D, 0x56 -> new long[] {1};
            case 0x15 -> new long[] {3, 1};
            case 0x1B -> new long[] {8, HostileWorld.BUFFER, 0};
            case 0x1C -> new long[] {HostileWorld.BUFFER, 240};
            case 0x1F, 0x20 -> new long[] {1, -1};
            case 0x21 -> new long[] {4 | 16 << 16};
            case 0x23 -> new long[] {bell, Objects.ALL};
            case 0x25, 0x46 -> new long[] {8};
            case 0x28 -> new long[] {2, 64, 2, 0};
            case 0x29, 0x3C -> new long[] {3};
            case 0x2B -> new long[] {0x6200_0000L, Objects.MAP_RWX, mapFlags, 16 * page, page};
            case 0x2C -> new long[] {0x6200_0000L, mapFlags, 16 * page, page};
            case 0x2D -> new long[] {0x6200_0000L, 0x44, mapFlags, 16 * page, page};
            case 0x2E -> new long[] {151};
            case 0x2F -> new long[] {0, 0};
            case 0x30 -> new long[] {oneOf(0, 0x8000_0001L, 0x8000_0002L, 4, 255), 0, page};
            case 0x31 -> new long[] {world.poolPa(), page, 7};
            case 0x32 -> new long[] {20 * page, page, Objects.SPARSE_RWX};
            case 0x34 -> new long[] {1 << 9};
            case 0x38 -> new long[] {0x6000_0000L, 0, 0};
            case 0x3B -> new long[] {oneOf(0, 1), world.ids().getLast()};
            case 0x3D -> new long[] {0xFFFF};
            case 0x3F -> new long[] {1, 2};
            case 0x47 -> new long[] {5_000_000};
            case 0x49 -> new long[] {2, oneOf(0, 1 << 6), 18};
            case 0x4E, 0x55 -> new long[] {oneOf(1, 4, 8, 0x40)};
            case 0x4F -> new long[] {oneOf(0, 1), 3};
            case 0x50 -> new long[] {0, 16};
            case 0x51, 0x52 -> new long[] {1};
            case 0x57 -> new long[] {8};
            case 0x5A -> new long[] {0x6000_0000L, page};
            case 0x5B -> new long[] {0x6300_0000L};
            case 0x5E -> new long[] {0x1234, 0, 4, 4};
            case 0x5F -> new long[] {1, 0, 8, HostileWorld.BUFFER};
            case 0x5C -> new long[] {41, oneOf(0, 1)};
            case 0x60 -> new long[] {oneOf(0x7000_0000L, 0x7100_0000L), page, oneOf(0, 1, 2, 3)};
            case 0x61 -> new long[] {oneOf(0, 1, 2, 3, 4), 4 * page, page};
            case 0x62 -> new long[] {oneOf(0, 1, 2), 0x0800_0000L, oneOf(0x1_0000, 0x2_0000), 0};
            case 0x64 -> new long[] {oneOf(0, 1, 2), oneOf(0, 1), 16};
            case 0x65 -> new long[] {0, oneOf(0, 1, 2), 0};
            case 0x66 -> new long[] {1};
            case 0x67 -> new long[] {0x7FFF, 0, 8, 16, 24, 0};
            case 0x69 -> new long[] {HostileWorld.MAPPED, page, oneOf(0, 1, 9)};
            default -> new long[8];
        };
    }

    private long oneOf(long... modes) {
        return modes[random.nextInt(modes.length)];
    }

    int size() {
        return rows.size();
    }

    /** {@return the table that the guest executes; it checks what the convention promises of every register} */
    byte[] table() {
        ByteBuffer bytes = ByteBuffer.allocate((rows.size() + 1) * ROW).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < rows.size(); i++) {
            long[] row = rows.get(i);
            boolean isNative = row[8] == 1;
            int at = i * ROW;
            bytes.putInt(at, isNative ? called.get(i).number() : i % 2 == 0 ? 0x200 : 0x201);
            bytes.putInt(at + 4, isNative ? 1 : 0).putLong(at + 0x18, 1);
            for (int x = 0; x < 8; x++) {
                bytes.putLong(at + 0x20 + 8 * x, row[x]).putLong(at + 0x60 + 8 * x, isNative ? 0 : row[x]);
                bytes.putLong(at + 0xA0 + 8 * x, x > called.get(i).results() ? -1 : 0);
            }
        }
        bytes.putInt(rows.size() * ROW, -1);
        return bytes.array();
    }

    /** {@return what no document allows, one line each} */
    List<String> judge(ByteBuffer table) {
        List<String> wrong = new ArrayList<>();
        for (int i = 0; i < rows.size(); i++) {
            long status = table.getLong(i * ROW + 0xE0);
            long[] got = new long[8];
            for (int x = 0; x < 8; x++) {
                got[x] = table.getLong(i * ROW + 0xE8 + 8 * x);
            }
            String why = status != 1 ? "convention, status 0x" + Long.toHexString(status) : why(called.get(i), got);
            if (!why.isEmpty()) {
                wrong.add("%s: %s -> %s".formatted(why, text(i), hex(got)));
            }
        }
        return wrong;
    }

    private String why(Interface.Call call, long[] got) {
        HypercallRow row = documented.get(call.number());
        if (got[0] == row.successX0()) {
            return "";
        }
        HypError error = HypError.of(got[0]);
        if (error.code() != got[0] || error == HypError.OK) {
            return "no error code";
        }
        if (!row.words().errors().contains(error) && !OF_CAPABILITIES.contains(error)) {
            return "not documented";
        }
        for (int x = 1; x <= call.results() && !row.keepResults(); x++) {
            if (got[x] != call.failing()) {
                return "result of a call that failed";
            }
        }
        return "";
    }

    String text(int index) {
        return "%s %s".formatted(called.get(index), hex(Arrays.copyOf(rows.get(index), 8)));
    }

    private static String hex(long[] values) {
        StringBuilder text = new StringBuilder();
        for (long value : values) {
            text.append(" 0x").append(Long.toHexString(value));
        }
        return text.toString();
    }
}
