package gunyah.rm.rpc;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** The list sections of memory parcel messages: {@code u16 count, u16 spare, entries} (memparcel_msg.h). */
final class ParcelLists {
    /** Most entries of any list in one message. */
    static final int MAX_ENTRIES = 512;

    private ParcelLists() {
    }

    static List<AclEntry> acl(WireReader reader) {
        return read(reader, AclEntry.WIRE_SIZE, AclEntry::read);
    }

    static List<MemRange> ranges(WireReader reader) {
        return read(reader, MemRange.WIRE_SIZE, MemRange::read);
    }

    static List<MemAttribute> attributes(WireReader reader) {
        return read(reader, MemAttribute.WIRE_SIZE, MemAttribute::read);
    }

    static <T> List<T> read(WireReader reader, int entrySize, Function<WireReader, T> entry) {
        return entries(reader, reader.list(MAX_ENTRIES, entrySize).count(), entry);
    }

    static <T> List<T> entries(WireReader reader, int count, Function<WireReader, T> entry) {
        List<T> entries = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            entries.add(entry.apply(reader));
        }
        return List.copyOf(entries);
    }

    static List<Integer> vmids(WireReader reader) {
        return read(reader, 4, r -> {
            int vmid = r.u16();
            r.skip(2);
            return vmid;
        });
    }

    static void writeVmids(WireWriter writer, List<Integer> vmids) {
        writer.u16(vmids.size()).u16(0);
        vmids.forEach(vmid -> writer.u16(vmid).u16(0));
    }

    static void writeAcl(WireWriter writer, List<AclEntry> acl) {
        writer.u16(acl.size()).u16(0);
        acl.forEach(entry -> entry.write(writer));
    }

    static void writeRanges(WireWriter writer, List<MemRange> ranges) {
        writer.u16(ranges.size()).u16(0);
        ranges.forEach(range -> range.write(writer));
    }

    static void writeAttributes(WireWriter writer, List<MemAttribute> attributes) {
        writer.u16(attributes.size()).u16(0);
        attributes.forEach(attribute -> attribute.write(writer));
    }
}
