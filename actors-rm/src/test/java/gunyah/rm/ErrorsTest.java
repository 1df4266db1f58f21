package gunyah.rm;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.config.fdt.DtNode;
import gunyah.hyp.HypError;
import gunyah.rm.root.RmProfile;
import gunyah.rm.rpc.AclEntry;
import gunyah.rm.rpc.AddressLayout;
import gunyah.rm.rpc.AuthImage;
import gunyah.rm.rpc.BootContext;
import gunyah.rm.rpc.ConfigImage;
import gunyah.rm.rpc.ConsoleText;
import gunyah.rm.rpc.DemandPaging;
import gunyah.rm.rpc.ExitRequest;
import gunyah.rm.rpc.FirmwareImage;
import gunyah.rm.rpc.FirmwareMemory;
import gunyah.rm.rpc.IpaReserve;
import gunyah.rm.rpc.IrqAccept;
import gunyah.rm.rpc.IrqHandle;
import gunyah.rm.rpc.IrqLend;
import gunyah.rm.rpc.IrqNotify;
import gunyah.rm.rpc.MemAttribute;
import gunyah.rm.rpc.MemRange;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.Nothing;
import gunyah.rm.rpc.ParcelAccept;
import gunyah.rm.rpc.ParcelAppend;
import gunyah.rm.rpc.ParcelCreate;
import gunyah.rm.rpc.ParcelLookup;
import gunyah.rm.rpc.ParcelNotify;
import gunyah.rm.rpc.ParcelReturn;
import gunyah.rm.rpc.Payload;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.StatusUpdate;
import gunyah.rm.rpc.StopRequest;
import gunyah.rm.rpc.TextRequest;
import gunyah.rm.rpc.TimeBase;
import gunyah.rm.rpc.VmRequest;
import gunyah.rm.rpc.WireWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** Every error that the table of messages says a request can be answered with is provoked, each in a fresh machine. */
class ErrorsTest {
    private static final long IMAGE = 0x4800_0000L;
    private static final long OTHER_IMAGE = 0x4810_0000L;
    private static final long MEMORY = 0x4900_0000L;
    private static final int NOBODY = 999;
    private static final int HLOS = 3;
    private static final int RWX = 7;

    private final Set<String> provoked = new TreeSet<>();
    private HostClient host;
    private HostClient guest;
    private int vm;

    private void machine(RmProfile profile) {
        host = new HostClient(profile);
    }

    /** Asks in a fresh machine, from what {@code prepared} leaves. */
    private void expect(MessageId id, RmError error, Supplier<RmError> request) {
        machine(RmProfile.large());
        assertThat(request.get()).as(id.name()).isEqualTo(error);
        provoked.add(id + " " + error);
    }

    private int allocated() {
        host.call(MessageId.VM_ALLOC_VMID, new VmRequest(0));
        return 128;
    }

    private int configured() {
        return configured(0);
    }

    private int configured(int auth) {
        return host.configure(GuestTrees.linked("a"), IMAGE, auth);
    }

    /** With firmware of two pages. */
    private int android() {
        assertThat(ask(MessageId.FW_SET_VM_FIRMWARE, new FirmwareImage(2, toRoot(0x2000), 0, 0x2000)))
                .isEqualTo(RmError.OK);
        return configured(2);
    }

    private int ready() {
        return host.ready(GuestTrees.linked("a"), IMAGE);
    }

    private int running() {
        vm = host.running(GuestTrees.linked("a"), IMAGE);
        guest = host.guest(vm);
        return vm;
    }

    private HostClient second() {
        return host.guest(host.running(GuestTrees.linked("b"), OTHER_IMAGE));
    }

    private RmError ask(MessageId id, Payload payload) {
        return host.error(id, payload);
    }

    // The guest as it is once the payload was made, which may start it.
    private RmError asGuest(MessageId id, Payload payload) {
        return guest.error(id, payload);
    }

    @Test
    @Invariant("S5")
    void everyErrorOfEveryRequestIsProvoked() {
        malformedPayloads();
        strangersAndStates();
        lifeCycle();
        questions();
        creation();
        borrowing();
        notices();
        interrupts();
        consolesAddressesAndFirmware();

        List<String> expected = new ArrayList<>();
        for (MessageRow<?> row : new MessageTable().rows()) {
            row.errors().forEach(error -> expected.add(row.id() + " " + error));
        }
        assertThat(provoked).containsExactlyInAnyOrderElementsOf(expected);
    }

    private void malformedPayloads() {
        for (MessageRow<?> row : new MessageTable().rows()) {
            expect(row.id(), RmError.MSG_INVALID, () -> ask(row.id(), () -> new byte[] {1}));
        }
        expect(MessageId.VM_INIT, RmError.MSG_INVALID, () -> ask(MessageId.VM_INIT, new VmRequest(configured(), 1)));
        expect(MessageId.VM_EXIT, RmError.MSG_INVALID, () -> {
            running();
            return asGuest(MessageId.VM_EXIT, new ExitRequest(0, 2));
        });
    }

    private static Payload about(MessageId id, int vmid) {
        return switch (id) {
            case VM_CONFIG_IMAGE -> new ConfigImage(vmid, 0, 0, 0, 0, 0, 0);
            case VM_AUTH_IMAGE -> new AuthImage(vmid, List.of());
            case VM_SET_DEMAND_PAGING -> new DemandPaging(vmid, List.of());
            case VM_SET_ADDRESS_LAYOUT -> new AddressLayout(vmid, 0, 0, 0x1000);
            case VM_SET_BOOT_CONTEXT, VM_SET_BOOT_CONTEXT_V16 -> new BootContext(vmid, 1, 0, 0);
            case VM_STOP -> new StopRequest(vmid, 1, 3);
            case VM_SET_TIME_BASE -> new TimeBase(vmid, 0, 0);
            case VM_SET_FIRMWARE_MEM -> new FirmwareMemory(vmid, 0, 0, 0x1000);
            default -> new VmRequest(vmid);
        };
    }

    private void strangersAndStates() {
        for (MessageId id : List.of(MessageId.VM_DEALLOC_VMID, MessageId.VM_CONFIG_IMAGE, MessageId.VM_AUTH_IMAGE,
                MessageId.VM_SET_DEMAND_PAGING, MessageId.VM_SET_ADDRESS_LAYOUT, MessageId.VM_INIT,
                MessageId.VM_SET_BOOT_CONTEXT, MessageId.VM_SET_BOOT_CONTEXT_V16, MessageId.VM_START, MessageId.VM_STOP,
                MessageId.VM_RESET)) {
            expect(id, RmError.VMID_INVALID, () -> ask(id, about(id, NOBODY)));
            RmError stranger = id == MessageId.VM_STOP || id == MessageId.VM_RESET ? RmError.VMID_INVALID
                    : RmError.DENIED;
            expect(id, stranger, () -> {
                running();
                return second().error(id, about(id, vm));
            });
            if (id != MessageId.VM_DEALLOC_VMID) {
                boolean mayInLoad = id == MessageId.VM_CONFIG_IMAGE;
                expect(id, RmError.VM_STATE, () -> ask(id, about(id, mayInLoad ? configured() : allocated())));
            }
        }
        expect(MessageId.VM_DEALLOC_VMID, RmError.VM_STATE, () -> {
            running();
            return host.error(MessageId.VM_DEALLOC_VMID, vm);
        });
        for (MessageId id : List.of(MessageId.VM_SET_TIME_BASE, MessageId.VM_SET_FIRMWARE_MEM)) {
            expect(id, RmError.VM_STATE, () -> ask(id, about(id, allocated())));
        }
        for (MessageId id : List.of(MessageId.VM_SET_TIME_BASE, MessageId.VM_SET_FIRMWARE_MEM, MessageId.VM_GET_STATE)) {
            expect(id, RmError.NORESOURCE, () -> ask(id, about(id, NOBODY)));
            expect(id, RmError.DENIED, () -> {
                running();
                return second().error(id, about(id, vm));
            });
        }
    }

    private void lifeCycle() {
        expect(MessageId.VM_ALLOC_VMID, RmError.NORESOURCE, () -> host.error(MessageId.VM_ALLOC_VMID, 100));
        expect(MessageId.VM_ALLOC_VMID, RmError.DENIED, () -> {
            running();
            return asGuest(MessageId.VM_ALLOC_VMID, new VmRequest(0));
        });
        expect(MessageId.VM_DEALLOC_VMID, RmError.MEM_INUSE, () -> {
            host.create(MessageId.MEM_LEND, 0, MEMORY, 0x1000, new AclEntry(allocated(), RWX));
            return host.error(MessageId.VM_DEALLOC_VMID, 128);
        });
        MessageId config = MessageId.VM_CONFIG_IMAGE;
        expect(config, RmError.MEM_INVALID, () -> ask(config, new ConfigImage(allocated(), 0, 5, 0, 0, 0, 0)));
        expect(config, RmError.ARGUMENT_INVALID, () -> ask(config, image(3, 0x1000)));
        expect(config, RmError.ARGUMENT_INVALID, () -> ask(config, image(0, 0x1001)));
        expect(config, RmError.NOMEM, () -> {
            Payload image = image(0, 0x1000);
            return failing(0x02, config, image);
        });
        MessageId firmware = MessageId.VM_SET_FIRMWARE_MEM;
        expect(firmware, RmError.MEM_INVALID, () -> ask(firmware, new FirmwareMemory(android(), 7, 0, 0x1000)));
        expect(firmware, RmError.ARGUMENT_INVALID, () -> ask(firmware, new FirmwareMemory(android(), 1, 1, 0x1000)));
        expect(firmware, RmError.ARGUMENT_INVALID, () -> ask(firmware, new FirmwareMemory(configured(), 0, 0, 0x1000)));
        expect(firmware, RmError.DENIED, () -> ask(firmware, new FirmwareMemory(configured(2), 0, 0, 0x1000)));
        expect(MessageId.VM_SET_DEMAND_PAGING, RmError.ARGUMENT_INVALID, () ->
                ask(MessageId.VM_SET_DEMAND_PAGING, new DemandPaging(configured(), List.of(new MemRange(1, 0x1000)))));
        expect(MessageId.VM_SET_ADDRESS_LAYOUT, RmError.ARGUMENT_INVALID, () ->
                ask(MessageId.VM_SET_ADDRESS_LAYOUT, new AddressLayout(configured(), 2, 0, 0x1000)));
        for (MessageId id : List.of(MessageId.VM_SET_BOOT_CONTEXT, MessageId.VM_SET_BOOT_CONTEXT_V16)) {
            expect(id, RmError.ARGUMENT_INVALID, () -> ask(id, new BootContext(ready(), 0, 31, 0)));
        }
        initAndStart();
        expect(MessageId.VM_RESET, RmError.DENIED, () -> {
            DtNode tree = GuestTrees.linked("a");
            tree.find("/gunyah-vm-config").orElseThrow().strings("vm-attrs", "no-reset");
            return host.error(MessageId.VM_RESET, host.ready(tree, IMAGE));
        });
        expect(MessageId.VM_STOP, RmError.VM_STATE, () -> {
            DtNode tree = GuestTrees.linked("a");
            tree.find("/gunyah-vm-config").orElseThrow().strings("vm-attrs", "no-shutdown");
            return ask(MessageId.VM_STOP, new StopRequest(host.running(tree, IMAGE), 1, 3));
        });
        expect(MessageId.VM_EXIT, RmError.VM_STATE, () -> {
            running();
            host.call(MessageId.VM_STOP, new StopRequest(vm, 1, 3));
            return asGuest(MessageId.VM_EXIT, new ExitRequest(0, 0));
        });
    }

    private Payload image(int auth, long dtbSize) {
        int handle = host.create(MessageId.MEM_LEND, 0, MEMORY, 0x1000, new AclEntry(allocated(), RWX));
        return new ConfigImage(128, auth, handle, 0, 0, 0, dtbSize);
    }

    private RmError failing(int hypercall, MessageId id, Payload request) {
        host.hyp.failCall = hypercall;
        RmError error = ask(id, request);
        host.hyp.failCall = -1;
        return error;
    }

    private void initAndStart() {
        expect(MessageId.VM_INIT, RmError.MEM_INVALID, () -> {
            int handle = host.create(MessageId.MEM_LEND, 0, MEMORY, 0x1000, new AclEntry(allocated(), RWX));
            ask(MessageId.VM_CONFIG_IMAGE, new ConfigImage(128, 0, handle, 0, 0, 0, 0x1000));
            return host.error(MessageId.VM_INIT, 128);
        });
        expect(MessageId.VM_INIT, RmError.ARGUMENT_INVALID, () -> {
            DtNode tree = GuestTrees.linked("a");
            tree.find("/gunyah-vm-config").orElseThrow().removeProperty("image-name");
            return host.error(MessageId.VM_INIT, host.configure(tree, IMAGE, 0));
        });
        expect(MessageId.VM_INIT, RmError.NORESOURCE, () -> {
            DtNode tree = GuestTrees.linked("a");
            GuestTrees.devices(tree).add("x").strings("vdevice-type", "vrtc-pl031");
            return host.error(MessageId.VM_INIT, host.configure(tree, IMAGE, 0));
        });
        expect(MessageId.VM_INIT, RmError.NOMEM, () -> failing(0x05, MessageId.VM_INIT, new VmRequest(configured())));
        expect(MessageId.VM_START, RmError.NORESOURCE, () -> {
            ready();
            ask(MessageId.MEM_RECLAIM, new ParcelReturn(0, 0));
            return host.error(MessageId.VM_START, 128);
        });
        for (boolean announced : new boolean[] {true, false}) {
            expect(MessageId.VM_START, announced ? RmError.MEM_INVALID : RmError.DENIED, () -> {
                int id = android();
                if (announced) {
                    host.call(MessageId.FW_MILESTONE, new Nothing());
                }
                ask(MessageId.VM_SET_FIRMWARE_MEM, new FirmwareMemory(id, 1, 0x3000, 0x1000));
                host.error(MessageId.VM_INIT, id);
                return host.error(MessageId.VM_START, id);
            });
        }
        expect(MessageId.VM_START, RmError.NOMEM, () -> failing(0x38, MessageId.VM_START, new VmRequest(ready())));
    }

    private void questions() {
        expect(MessageId.VM_GET_ID, RmError.NORESOURCE, () -> host.error(MessageId.VM_GET_ID, NOBODY));
        expect(MessageId.VM_GET_ID, RmError.VM_STATE, () -> host.error(MessageId.VM_GET_ID, allocated()));
        for (MessageId id : List.of(MessageId.VM_LOOKUP_NAME, MessageId.VM_LOOKUP_URI)) {
            expect(id, RmError.ARGUMENT_INVALID, () -> ask(id, new TextRequest(new byte[80])));
            expect(id, RmError.MSG_INVALID, () -> ask(id, () -> new byte[] {1, 0, 0, 0, 'x', 0, 0, 1}));
        }
        expect(MessageId.VM_SET_STATUS, RmError.ARGUMENT_INVALID,
                () -> ask(MessageId.VM_SET_STATUS, new StatusUpdate(8, 0)));
        expect(MessageId.VM_SET_STATUS, RmError.DENIED, () -> {
            machine(RmProfile.strict());
            running();
            return asGuest(MessageId.VM_SET_STATUS, new StatusUpdate(1, 0));
        });
        expect(MessageId.VM_GET_CRASH_MSG, RmError.VMID_INVALID, () -> host.error(MessageId.VM_GET_CRASH_MSG, NOBODY));
        expect(MessageId.VM_GET_CRASH_MSG, RmError.VMID_INVALID, () -> {
            running();
            return asGuest(MessageId.VM_GET_CRASH_MSG, new VmRequest(HLOS));
        });
        expect(MessageId.VM_SET_TIME_BASE, RmError.ARGUMENT_INVALID,
                () -> ask(MessageId.VM_SET_TIME_BASE, new TimeBase(configured(), 0, 0)));
        expect(MessageId.VM_GET_HYP_RESOURCES, RmError.ARGUMENT_INVALID,
                () -> host.error(MessageId.VM_GET_HYP_RESOURCES, NOBODY));
        expect(MessageId.VM_GET_HYP_RESOURCES, RmError.NORESOURCE,
                () -> host.error(MessageId.VM_GET_HYP_RESOURCES, allocated()));
    }

    private static Payload parcel(AclEntry who, MemRange what) {
        return new ParcelCreate(0, 0, 0, List.of(who), List.of(what), List.of());
    }

    private static Payload parcelOfBoth(int rights, MemRange what) {
        return new ParcelCreate(0, 0, 0, List.of(new AclEntry(HLOS, RWX), new AclEntry(128, rights)), List.of(what),
                List.of());
    }

    private Payload legal(MessageId id, MemRange what) {
        return id == MessageId.MEM_SHARE ? parcelOfBoth(RWX, what) : parcel(new AclEntry(128, RWX), what);
    }

    private void creation() {
        MemRange page = new MemRange(MEMORY, 0x1000);
        for (MessageId id : List.of(MessageId.MEM_LEND, MessageId.MEM_SHARE, MessageId.MEM_DONATE)) {
            for (MemRange bad : List.of(new MemRange(MEMORY + 1, 0x1000), new MemRange(MEMORY, 0),
                    new MemRange(1L << 44, 0x1000), new MemRange(MEMORY, -0x1000))) {
                expect(id, RmError.ARGUMENT_INVALID, () -> {
                    allocated();
                    return ask(id, legal(id, bad));
                });
            }
            expect(id, RmError.MEM_INVALID, () -> {
                allocated();
                return ask(id, legal(id, new MemRange(FakeHypervisor.RM_BASE, 0x1000)));
            });
            expect(id, RmError.VMID_INVALID, () -> {
                allocated();
                ParcelCreate good = ParcelCreate.decode(legal(id, page).encode());
                return ask(id, new ParcelCreate(0, 0, 0, good.acl(), good.ranges(), List.of(new MemAttribute(0, 77))));
            });
            expect(id, RmError.NOMEM, () -> {
                allocated();
                return failing(0x04, id, legal(id, page));
            });
            expect(id, RmError.MAP_FAILED, () -> {
                allocated();
                host.hyp.failWith = HypError.MEMEXTENT_MAPPINGS_FULL;
                return failing(0x61, id, legal(id, page));
            });
            expect(id, RmError.NORESOURCE, () -> ask(id, () -> new WireWriter().u64(0).u16(513).u16(0)
                    .bytes(new byte[8]).toBytes()));
            expect(id, RmError.DENIED, () -> {
                machine(RmProfile.strict());
                allocated();
                for (int i = 0; i < 64; i++) {
                    host.create(MessageId.MEM_LEND, 0, MEMORY + i * 0x1000L, 0x1000, new AclEntry(128, RWX));
                }
                return ask(id, legal(id, new MemRange(MEMORY + 0x10_0000, 0x1000)));
            });
        }
        expect(MessageId.MEM_DONATE, RmError.DENIED,
                () -> ask(MessageId.MEM_DONATE, parcel(new AclEntry(allocated(), 6), page)));
        expect(MessageId.MEM_DONATE, RmError.ARGUMENT_INVALID, () -> {
            allocated();
            host.call(MessageId.VM_ALLOC_VMID, new VmRequest(0));
            return ask(MessageId.MEM_DONATE, new ParcelCreate(0, 0, 0,
                    List.of(new AclEntry(128, RWX), new AclEntry(129, RWX)), List.of(page), List.of()));
        });
        ioParcels();
        appends();
    }

    private void ioParcels() {
        List<MemRange> device = List.of(new MemRange(FakeHypervisor.DEVICES, 0x1000));
        for (ParcelCreate bad : List.of(
                new ParcelCreate(1, 0, 0, List.of(new AclEntry(128, RWX)), device, List.of()),
                new ParcelCreate(1, 1, 0, List.of(new AclEntry(128, 6)), device, List.of()),
                new ParcelCreate(2, 0, 0, List.of(new AclEntry(128, 6)), device, List.of()),
                new ParcelCreate(1, 0, 0, List.of(new AclEntry(128, 6)), device, List.of(new MemAttribute(0, 128))),
                new ParcelCreate(0, 0, 0, List.of(new AclEntry(128, 6)), List.of(new MemRange(MEMORY, 0x1000)),
                        List.of(new MemAttribute(4, 128))))) {
            expect(MessageId.MEM_LEND, RmError.ARGUMENT_INVALID, () -> {
                allocated();
                return ask(MessageId.MEM_LEND, bad);
            });
        }
    }

    private void appends() {
        MessageId id = MessageId.MEM_APPEND;
        List<MemRange> page = List.of(new MemRange(MEMORY + 0x1000, 0x1000));
        expect(id, RmError.HANDLE_INVALID, () -> ask(id, new ParcelAppend(9, 1, page)));
        expect(id, RmError.DENIED, () -> ask(id, new ParcelAppend(opened(0), 1, page)));
        expect(id, RmError.ARGUMENT_INVALID, () -> ask(id, new ParcelAppend(opened(2), 1, List.of())));
        expect(id, RmError.MEM_INVALID, () -> ask(id, new ParcelAppend(opened(2), 1,
                List.of(new MemRange(MEMORY, 0x1000)))));
        expect(id, RmError.MAP_FAILED, () -> {
            Payload more = new ParcelAppend(opened(2), 1, page);
            host.hyp.failWith = HypError.EXISTING_MAPPING;
            return failing(0x61, id, more);
        });
        expect(id, RmError.NOMEM, () -> failing(0x61, id, new ParcelAppend(opened(2), 1, page)));
        expect(id, RmError.NORESOURCE, () -> ask(id, () -> new WireWriter().u32(opened(2)).u32(1).u16(513).u16(0)
                .toBytes()));
    }

    private int opened(int flags) {
        host.call(MessageId.MEM_LEND, new ParcelCreate(0, flags, 0, List.of(new AclEntry(allocated(), RWX)),
                List.of(new MemRange(MEMORY, 0x1000)), List.of()));
        return 0;
    }

    private int lent(int rights) {
        return host.create(MessageId.MEM_LEND, 5, MEMORY, 0x2000, new AclEntry(running(), rights));
    }

    private static ParcelAccept accept(int handle, int flags, MemRange... ranges) {
        return new ParcelAccept(handle, 0, 1, flags, 5, List.of(), List.of(ranges), 0, List.of());
    }

    private void borrowing() {
        MessageId id = MessageId.MEM_ACCEPT;
        expect(id, RmError.HANDLE_INVALID, () -> ask(id, accept(9, 128)));
        expect(id, RmError.DENIED, () -> ask(id, accept(lent(RWX), 128)));
        for (int flags : new int[] {1, 2, 4}) {
            expect(id, RmError.VALIDATE_FAILED, () -> asGuest(id, new ParcelAccept(lent(RWX), 0, 1, 128 | flags, 6,
                    List.of(), List.of(), 0, List.of())));
        }
        expect(id, RmError.VMID_INVALID, () -> {
            int handle = lent(RWX);
            return second().error(id, accept(handle, 128));
        });
        expect(id, RmError.DENIED, () -> asGuest(id, accept(lent(RWX), 128 | 8)));
        expect(id, RmError.DENIED, () -> {
            int handle = lent(RWX);
            guest.call(id, accept(handle, 128));
            return asGuest(id, accept(handle, 128));
        });
        for (ParcelAccept bad : List.of(
                new ParcelAccept(1, 1, 1, 128, 5, List.of(), List.of(), 0, List.of()),
                new ParcelAccept(1, 0, 2, 128, 5, List.of(), List.of(), 0, List.of()),
                new ParcelAccept(1, 0, 1, 128, 5, List.of(), List.of(), 7, List.of()),
                accept(1, 128, new MemRange(0x1000, 0x1000)), accept(1, 128, new MemRange(0x1001, 0x2000)),
                accept(1, 128, new MemRange(0x1000, 0x2000), new MemRange(0x8000, 0x2000)))) {
            expect(id, RmError.ARGUMENT_INVALID, () -> {
                assertThat(lent(RWX)).isEqualTo(1);
                return asGuest(id, bad);
            });
        }
        expect(id, RmError.ARGUMENT_INVALID, () -> asGuest(id, accept(lent(4), 128 | 32)));
        expect(id, RmError.ARGUMENT_INVALID, () -> {
            int handle = lent(RWX);
            guest.call(id, accept(handle, 0));
            return asGuest(id, accept(handle, 128 | 16));
        });
        expect(id, RmError.NORESOURCE, () -> asGuest(id,
                accept(lent(RWX), 128, new MemRange(GuestTrees.GICD, 0x2000))));
        expect(id, RmError.MAP_FAILED, () -> {
            int handle = lent(RWX);
            host.hyp.failWith = HypError.FAILURE;
            return failingGuest(0x2b, id, accept(handle, 128));
        });
        expect(id, RmError.NOMEM, () -> {
            int handle = lent(RWX);
            return failingGuest(0x2b, id, accept(handle, 128));
        });
        releases();
    }

    private RmError failingGuest(int hypercall, MessageId id, Payload request) {
        host.hyp.failCall = hypercall;
        RmError error = asGuest(id, request);
        host.hyp.failCall = -1;
        return error;
    }

    private int accepted(int rights) {
        int handle = lent(rights);
        assertThat(asGuest(MessageId.MEM_ACCEPT, accept(handle, 128))).isEqualTo(RmError.OK);
        return handle;
    }

    private void releases() {
        MessageId id = MessageId.MEM_RELEASE;
        expect(id, RmError.HANDLE_INVALID, () -> ask(id, new ParcelReturn(9, 0)));
        expect(id, RmError.HANDLE_INVALID, () -> {
            int handle = accepted(RWX);
            return second().error(id, new ParcelReturn(handle, 0));
        });
        expect(id, RmError.DENIED, () -> ask(id, new ParcelReturn(accepted(RWX), 0)));
        expect(id, RmError.MEM_RELEASED, () -> asGuest(id, new ParcelReturn(lent(RWX), 0)));
        expect(id, RmError.ARGUMENT_INVALID, () -> asGuest(id, new ParcelReturn(accepted(4), 1)));
        expect(id, RmError.MAP_FAILED, () -> {
            int handle = accepted(RWX);
            return failingGuest(0x2c, id, new ParcelReturn(handle, 0));
        });
        MessageId reclaim = MessageId.MEM_RECLAIM;
        expect(reclaim, RmError.HANDLE_INVALID, () -> ask(reclaim, new ParcelReturn(9, 0)));
        expect(reclaim, RmError.DENIED, () -> asGuest(reclaim, new ParcelReturn(accepted(RWX), 0)));
        expect(reclaim, RmError.MEM_INUSE, () -> ask(reclaim, new ParcelReturn(accepted(RWX), 0)));
        expect(reclaim, RmError.ARGUMENT_INVALID, () -> {
            host.call(MessageId.MEM_LEND, new ParcelCreate(1, 0, 0, List.of(new AclEntry(allocated(), 6)),
                    List.of(new MemRange(FakeHypervisor.DEVICES, 0x1000)), List.of()));
            return ask(reclaim, new ParcelReturn(0, 1));
        });
    }

    private void notices() {
        MessageId id = MessageId.MEM_NOTIFY;
        expect(id, RmError.HANDLE_INVALID, () -> ask(id, new ParcelNotify(9, 1, 0, List.of(128))));
        expect(id, RmError.DENIED, () -> asGuest(id, new ParcelNotify(lent(RWX), 1, 0, List.of(128))));
        for (ParcelNotify bad : List.of(new ParcelNotify(1, 1, 0, List.of()), new ParcelNotify(1, 3, 0, List.of(128)),
                new ParcelNotify(1, 1, 0, List.of(77)), new ParcelNotify(1, 8, 0, List.of(128, 128)),
                new ParcelNotify(1, 8, 4, List.of(128)))) {
            expect(id, RmError.ARGUMENT_INVALID, () -> {
                assertThat(lent(RWX)).isEqualTo(1);
                host.call(id, new ParcelNotify(1, 1, 5, List.of(128)));
                return ask(id, bad);
            });
        }
        expect(id, RmError.VMID_INVALID, () -> ask(id, new ParcelNotify(lent(RWX), 4, 0, List.of())));
        expect(id, RmError.MEM_INUSE, () -> asGuest(id, new ParcelNotify(accepted(RWX), 2, 0, List.of())));
        expect(id, RmError.MEM_RELEASED, () -> asGuest(id, new ParcelNotify(lent(RWX), 4, 0, List.of())));
        expect(MessageId.MEM_QCOM_LOOKUP_SGL, RmError.LOOKUP_FAILED, () -> asGuest(MessageId.MEM_QCOM_LOOKUP_SGL,
                new ParcelLookup(0, lent(RWX) + 99, List.of(), List.of(), List.of())));
    }

    private static final int IRQ = FakeHypervisor.HARDWARE_IRQ;

    private int lentIrq() {
        running();
        byte[] handle = host.call(MessageId.VM_IRQ_LEND, new IrqLend(vm, IRQ, 1)).body();
        return IrqHandle.decode(handle).handle();
    }

    private int acceptedIrq() {
        int handle = lentIrq();
        assertThat(asGuest(MessageId.VM_IRQ_ACCEPT, new IrqAccept(handle, IrqAccept.ANY))).isEqualTo(RmError.OK);
        return handle;
    }

    private int reclaimedIrq() {
        int handle = lentIrq();
        assertThat(ask(MessageId.VM_IRQ_RECLAIM, new IrqHandle(handle))).isEqualTo(RmError.OK);
        return handle;
    }

    private void interrupts() {
        MessageId lend = MessageId.VM_IRQ_LEND;
        expect(lend, RmError.IRQ_INVALID, () -> ask(lend, new IrqLend(running(), IRQ + 1, 0)));
        expect(lend, RmError.VMID_INVALID, () -> ask(lend, new IrqLend(NOBODY, IRQ, 0)));
        expect(lend, RmError.IRQ_INUSE, () -> {
            lentIrq();
            return ask(lend, new IrqLend(vm, IRQ, 0));
        });
        MessageId accept = MessageId.VM_IRQ_ACCEPT;
        expect(accept, RmError.HANDLE_INVALID, () -> ask(accept, new IrqAccept(lentIrq(), IrqAccept.ANY)));
        expect(accept, RmError.IN_USE, () -> asGuest(accept, new IrqAccept(acceptedIrq(), IrqAccept.ANY)));
        expect(accept, RmError.ARGUMENT_INVALID, () -> asGuest(accept, new IrqAccept(lentIrq(), 5)));
        expect(accept, RmError.DENIED, () -> {
            DtNode tree = GuestTrees.linked("a");
            GuestTrees.devices(tree).add("bell").strings("vdevice-type", "doorbell").cells("interrupts", 0, IRQ - 32, 1);
            vm = host.running(tree, IMAGE);
            int handle = IrqHandle.decode(host.call(lend, new IrqLend(vm, IRQ, 1)).body()).handle();
            return host.guest(vm).error(accept, new IrqAccept(handle, IrqAccept.ANY));
        });
        expect(MessageId.VM_IRQ_RELEASE, RmError.HANDLE_INVALID,
                () -> ask(MessageId.VM_IRQ_RELEASE, new IrqHandle(acceptedIrq())));
        expect(MessageId.VM_IRQ_RELEASE, RmError.IN_USE,
                () -> asGuest(MessageId.VM_IRQ_RELEASE, new IrqHandle(lentIrq())));
        MessageId reclaim = MessageId.VM_IRQ_RECLAIM;
        expect(reclaim, RmError.HANDLE_INVALID, () -> asGuest(reclaim, new IrqHandle(lentIrq())));
        expect(reclaim, RmError.IN_USE, () -> ask(reclaim, new IrqHandle(acceptedIrq())));
        expect(reclaim, RmError.IRQ_INVALID, () -> ask(reclaim, new IrqHandle(reclaimedIrq())));
        MessageId notify = MessageId.VM_IRQ_NOTIFY;
        expect(notify, RmError.HANDLE_INVALID, () -> asGuest(notify, new IrqNotify(lentIrq(), 1, List.of())));
        expect(notify, RmError.IRQ_INUSE, () -> ask(notify, new IrqNotify(acceptedIrq(), 1, List.of())));
        expect(notify, RmError.IRQ_INUSE, () -> asGuest(notify, new IrqNotify(acceptedIrq(), 2, List.of())));
        expect(notify, RmError.IRQ_RELEASED, () -> ask(notify, new IrqNotify(reclaimedIrq(), 1, List.of())));
        expect(notify, RmError.IRQ_RELEASED, () -> asGuest(notify, new IrqNotify(lentIrq(), 4, List.of())));
        expect(notify, RmError.ARGUMENT_INVALID, () -> ask(notify, new IrqNotify(lentIrq(), 3, List.of())));
        expect(notify, RmError.ARGUMENT_INVALID, () -> ask(notify, new IrqNotify(lentIrq(), 1, List.of(3))));
        expect(notify, RmError.NORESOURCE, () -> ask(notify,
                () -> new WireWriter().u64(0).u16(513).u16(0).bytes(new byte[8]).toBytes()));
    }

    private void consolesAddressesAndFirmware() {
        for (MessageId id : List.of(MessageId.CONSOLE_OPEN, MessageId.CONSOLE_CLOSE, MessageId.CONSOLE_FLUSH,
                MessageId.CONSOLE_WRITE)) {
            boolean write = id == MessageId.CONSOLE_WRITE;
            expect(id, RmError.ARGUMENT_INVALID, () -> {
                int plain = host.running(GuestTrees.guest(1), IMAGE);
                return ask(id, write ? new ConsoleText(plain, new byte[0]) : new VmRequest(plain));
            });
            expect(id, RmError.DENIED, () -> {
                running();
                return asGuest(id, write ? new ConsoleText(HLOS, new byte[0]) : new VmRequest(HLOS));
            });
        }
        MessageId reserve = MessageId.IPA_RESERVE;
        MemRange page = new MemRange(0x1000, 0x1000);
        expect(reserve, RmError.DENIED, () -> ask(reserve, new IpaReserve(0, 0, List.of(page), List.of())));
        for (IpaReserve bad : List.of(new IpaReserve(8, 0, List.of(page), List.of()),
                new IpaReserve(0, 1, List.of(page), List.of()), new IpaReserve(0, 0, List.of(), List.of()),
                new IpaReserve(0, 0, List.of(new MemRange(1, 0x1000)), List.of()),
                new IpaReserve(0, 0, List.of(), List.of(new IpaReserve.Choice(0, 0x1000, 0x1000, 3))))) {
            expect(reserve, RmError.ARGUMENT_INVALID, () -> {
                running();
                return asGuest(reserve, bad);
            });
        }
        expect(reserve, RmError.NORESOURCE, () -> {
            running();
            return asGuest(reserve, new IpaReserve(0, 0, List.of(new MemRange(GuestTrees.GICD, 0x1000)), List.of()));
        });
        expect(MessageId.FW_MILESTONE, RmError.DENIED, () -> {
            running();
            return asGuest(MessageId.FW_MILESTONE, new Nothing());
        });
        MessageId set = MessageId.FW_SET_VM_FIRMWARE;
        expect(set, RmError.HANDLE_INVALID, () -> ask(set, new FirmwareImage(2, 9, 0, 0x1000)));
        expect(set, RmError.VMID_INVALID, () -> ask(set, new FirmwareImage(2, lent(RWX), 0, 0x1000)));
        expect(set, RmError.ARGUMENT_INVALID, () -> ask(set, new FirmwareImage(1, toRoot(0x1000), 0, 0x1000)));
        expect(set, RmError.DENIED, () -> {
            host.call(MessageId.FW_MILESTONE, new Nothing());
            return ask(set, new FirmwareImage(2, toRoot(0x1000), 0, 0x1000));
        });
        expect(set, RmError.BUSY, () -> {
            android();
            return ask(set, new FirmwareImage(2, 0, 0, 0x2000));
        });
        expect(MessageId.FW_MILESTONE, RmError.DENIED, () -> {
            host.call(MessageId.FW_MILESTONE, new Nothing());
            return ask(MessageId.FW_MILESTONE, new Nothing());
        });
        expect(set, RmError.NOMEM, () -> ask(set, new FirmwareImage(2, toRoot(0x200_0000), 0, 0x200_0000)));
    }

    private int toRoot(long size) {
        return host.create(MessageId.MEM_LEND, 0, MEMORY, size, new AclEntry(255, 6));
    }
}
