package gunyah.vmm.device;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/** The devices of a machine by address. Built once, then read by every host CPU. */
public final class MmioBus {
    /** A device in its place. */
    public static final class Slot {
        private final long base;
        private final long size;
        private final MmioDevice device;
        private final LongAdder accesses = new LongAdder();

        private Slot(long base, long size, MmioDevice device) {
            this.base = base;
            this.size = size;
            this.device = device;
        }

        private boolean contains(long address, int length) {
            return address >= base && address - base <= size - length;
        }

        /** A load at a guest physical address inside the slot. */
        public long read(long address, int length) {
            return device.read(address - base, length);
        }

        /** A store; as {@link #read}. */
        public void write(long address, int length, long value) {
            device.write(address - base, length, value);
        }
    }

    private final List<Slot> slots = new ArrayList<>();
    private final LongAdder unclaimed = new LongAdder();

    /** Adds a device before the machine runs. @throws IllegalArgumentException when the place is taken */
    public void add(long base, long size, MmioDevice device) {
        for (Slot slot : slots) {
            if (base < slot.base + slot.size && slot.base < base + size) {
                throw new IllegalArgumentException("%s and %s overlap".formatted(device.name(), slot.device.name()));
            }
        }
        slots.add(new Slot(base, size, device));
    }

    /** {@return who takes an access, which counts it; null when nobody does} */
    public Slot find(long address, int length) {
        for (int i = 0; i < slots.size(); i++) {
            Slot slot = slots.get(i);
            if (slot.contains(address, length)) {
                slot.accesses.increment();
                return slot;
            }
        }
        unclaimed.increment();
        return null;
    }

    /** {@return accesses so far by device name} */
    public Map<String, Long> accesses() {
        Map<String, Long> counts = new LinkedHashMap<>();
        slots.forEach(slot -> counts.merge(slot.device.name(), slot.accesses.sum(), Long::sum));
        return counts;
    }

    /** {@return accesses no device took} */
    public long unclaimed() {
        return unclaimed.sum();
    }
}
