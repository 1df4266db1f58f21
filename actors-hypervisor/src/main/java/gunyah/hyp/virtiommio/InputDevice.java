package gunyah.hyp.virtiommio;

import gunyah.hyp.HypError;
import gunyah.hyp.StateText;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * The configuration space of a virtio-input device (virtio 1.2, 5.8.2; Gunyah hyp/vm/virtio_input): the frontend selects
 * what it wants to know by two bytes, and the answer stands in the page. The device's actor only.
 */
final class InputDevice {
    static final int MAX_EVENT_TYPES = 32;
    static final int MAX_AXES = 64;

    private static final int SELECT = 0;
    private static final int SUBSELECT = 1;
    private static final int SIZE = 2;
    private static final int ANSWER = 8;
    private static final int ID_NAME = 0x01;
    private static final int ID_SERIAL = 0x02;
    private static final int ID_DEVIDS = 0x03;
    private static final int PROP_BITS = 0x10;
    private static final int EV_BITS = 0x11;
    private static final int ABS_INFO = 0x12;
    private static final int STRING_BYTES = 128;
    private static final int BITMAP_BYTES = 128;
    private static final int AXIS_BYTES = 20;

    /** What is known for one value of the second byte. */
    private record Entry(int subselect, byte[] data) {
    }

    private final RegisterPage page;
    private final byte[] deviceIds = new byte[Long.BYTES];
    private final byte[] propertyBits = new byte[Integer.BYTES];
    private byte[] name = {};
    private byte[] serial = {};
    /** Null until configured; an entry is null until its data comes. */
    private Entry[] eventBits;
    private Entry[] axes;

    InputDevice(RegisterPage page) {
        this.page = page;
    }

    /** virtio_input_configure: OK, ARGUMENT_INVALID, BUSY when a table that is asked for is there. */
    HypError configure(VirtioMmioActor.ConfigureInput wanted) {
        if (wanted.eventTypes() > MAX_EVENT_TYPES || wanted.axes() > MAX_AXES) {
            return HypError.ARGUMENT_INVALID;
        }
        if (wanted.eventTypes() > 0 && eventBits != null || wanted.axes() > 0 && axes != null) {
            return HypError.BUSY;
        }
        for (int i = 0; i < deviceIds.length; i++) {
            deviceIds[i] = (byte) (wanted.deviceIds() >>> 8 * i);
        }
        for (int i = 0; i < propertyBits.length; i++) {
            propertyBits[i] = (byte) (wanted.propertyBits() >>> 8 * i);
        }
        if (wanted.eventTypes() > 0) {
            eventBits = new Entry[(int) wanted.eventTypes()];
        }
        if (wanted.axes() > 0) {
            axes = new Entry[(int) wanted.axes()];
        }
        return HypError.OK;
    }

    /** virtio_input_set_data. */
    HypError put(VirtioMmioActor.InputData data) {
        boolean plain = data.select() != EV_BITS && data.select() != ABS_INFO;
        if (plain && data.subselect() != 0) {
            return HypError.ARGUMENT_INVALID;
        }
        return switch (data.select()) {
            case ID_NAME -> {
                byte[] bytes = new byte[STRING_BYTES];
                HypError error = copy(data, bytes);
                name = error == HypError.OK ? Arrays.copyOf(bytes, (int) data.size()) : name;
                yield error;
            }
            case ID_SERIAL -> {
                byte[] bytes = new byte[STRING_BYTES];
                HypError error = copy(data, bytes);
                serial = error == HypError.OK ? Arrays.copyOf(bytes, (int) data.size()) : serial;
                yield error;
            }
            case ID_DEVIDS -> copy(data, deviceIds);
            case PROP_BITS -> copy(data, propertyBits);
            case EV_BITS -> putEntry(data, eventBits, MAX_EVENT_TYPES, BITMAP_BYTES, false);
            case ABS_INFO -> putEntry(data, axes, MAX_AXES, AXIS_BYTES, true);
            default -> HypError.ARGUMENT_INVALID;
        };
    }

    private static HypError putEntry(VirtioMmioActor.InputData data, Entry[] table, int limit, int room,
            boolean whole) {
        if (table == null || Integer.compareUnsigned(data.subselect(), limit) >= 0) {
            return HypError.ARGUMENT_INVALID;
        }
        int free = 0;
        while (free < table.length && table[free] != null) {
            free++;
        }
        if (free == table.length) {
            return HypError.NORESOURCES;
        }
        byte[] bytes = new byte[room];
        HypError error = copy(data, bytes);
        if (error == HypError.OK) {
            table[free] = new Entry(data.subselect(), whole ? bytes : Arrays.copyOf(bytes, (int) data.size()));
        }
        return error;
    }

    private static HypError copy(VirtioMmioActor.InputData data, byte[] target) {
        if (data.size() == 0 || data.size() > target.length) {
            return HypError.ARGUMENT_SIZE;
        }
        return data.caller().copyIn(data.va(), target, (int) data.size());
    }

    /**
     * A store to the configuration space: one of the two selecting bytes or both.
     *
     * @param offset from its beginning
     * @return false when it must fault; a byte before the one that does is stored
     */
    boolean store(int offset, int size, int value) {
        for (int i = 0; i < size; i++) {
            if (offset + i > SUBSELECT) {
                return false;
            }
            page.octet(RegisterPage.CONFIG + offset + i, value >>> 8 * i);
            answer(page.octet(RegisterPage.CONFIG + SELECT), page.octet(RegisterPage.CONFIG + SUBSELECT));
        }
        return true;
    }

    private void answer(int select, int subselect) {
        byte[] data = switch (select) {
            case ID_NAME -> subselect == 0 ? name : null;
            case ID_SERIAL -> subselect == 0 ? serial : null;
            case ID_DEVIDS -> subselect == 0 ? deviceIds : null;
            case PROP_BITS -> subselect == 0 ? propertyBits : null;
            case EV_BITS -> find(eventBits, subselect);
            case ABS_INFO -> find(axes, subselect);
            default -> null;
        };
        for (int i = 0; data != null && i < data.length; i++) {
            page.octet(RegisterPage.CONFIG + ANSWER + i, data[i]);
        }
        page.octet(RegisterPage.CONFIG + SIZE, data == null ? 0 : data.length);
    }

    private static byte[] find(Entry[] table, int subselect) {
        for (int i = 0; table != null && i < table.length; i++) {
            if (table[i] != null && table[i].subselect == subselect) {
                return table[i].data;
            }
        }
        return null;
    }

    void describe(StateText text) {
        text.put("ids", hex(deviceIds)).put("properties", hex(propertyBits)).put("name", hex(name));
        text.put("serial", hex(serial));
        describe(text, "events", eventBits);
        describe(text, "axes", axes);
    }

    private static void describe(StateText text, String what, Entry[] table) {
        text.put(what, table == null ? 0 : table.length);
        for (int i = 0; table != null && i < table.length && table[i] != null; i++) {
            text.put("  " + table[i].subselect, hex(table[i].data));
        }
    }

    private static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }
}
