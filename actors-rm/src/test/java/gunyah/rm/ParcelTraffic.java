package gunyah.rm;

import gunyah.rm.ParcelModel.Parcel;
import gunyah.rm.ParcelModel.Piece;
import gunyah.rm.ParcelModel.Vm;
import gunyah.rm.rpc.AclEntry;
import gunyah.rm.rpc.MemAttribute;
import gunyah.rm.rpc.MemRange;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.ParcelAccept;
import gunyah.rm.rpc.ParcelAppend;
import gunyah.rm.rpc.ParcelCreate;
import gunyah.rm.rpc.ParcelNotify;
import gunyah.rm.rpc.ParcelReturn;
import gunyah.rm.rpc.Payload;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/** Random requests about parcels: most of them near what is legal, each field wrong now and then. */
final class ParcelTraffic {
    /** Where guests may ask for parcels to be mapped. */
    static final long SLOTS = 0xa000_0000L;
    private static final int SLOT_COUNT = 10;
    private static final int NOBODY = 999;
    private static final int NO_HANDLE = 0x7fff_fff0;

    /** A request, and who sends it. */
    record Request(Vm caller, MessageId id, Payload payload) {
    }

    private final Random random;
    private final ParcelModel model;
    private final List<Vm> vms;
    private final MemRange pool;
    private int lastHandle = NO_HANDLE;

    ParcelTraffic(Random random, ParcelModel model, List<Vm> vms, MemRange pool) {
        this.random = random;
        this.model = model;
        this.vms = vms;
        this.pool = pool;
    }

    private boolean one(int in) {
        return random.nextInt(in) == 0;
    }

    private <T> T any(List<T> list) {
        return list.get(random.nextInt(list.size()));
    }

    private Vm owner() {
        List<Vm> owners = vms.stream().filter(vm -> !free(vm).isEmpty()).toList();
        return owners.isEmpty() || one(20) ? any(vms) : any(owners);
    }

    Request next() {
        return switch (random.nextInt(model.parcels().isEmpty() ? 7 : 20)) {
            case 0, 1 -> create(MessageId.MEM_DONATE);
            case 2, 3 -> create(MessageId.MEM_LEND);
            case 4, 5 -> create(MessageId.MEM_SHARE);
            case 6 -> append();
            case 7, 8, 9, 10, 11, 12 -> accept();
            case 13, 14, 15 -> release();
            case 16, 17 -> reclaim();
            default -> notification();
        };
    }

    private Request create(MessageId id) {
        Vm caller = owner();
        int flags = (one(4) ? ParcelCreate.SANITISE : 0) | (one(5) ? ParcelCreate.MORE_FOLLOWS : 0);
        List<AclEntry> acl = acl(id, caller);
        List<MemAttribute> attributes = new ArrayList<>();
        while (one(6)) {
            attributes.add(new MemAttribute(random.nextInt(one(8) ? 6 : 4),
                    acl.isEmpty() || one(8) ? any(vms).vmid : any(acl).vmid()));
        }
        return new Request(caller, id, new ParcelCreate(one(60) ? 1 + random.nextInt(2) : 0, flags, random.nextInt(3),
                acl, ranges(caller), attributes));
    }

    private List<AclEntry> acl(MessageId id, Vm caller) {
        List<Vm> others = new ArrayList<>(vms);
        others.remove(caller);
        Collections.shuffle(others, random);
        boolean donate = id == MessageId.MEM_DONATE;
        List<Vm> named = new ArrayList<>(others.subList(0, donate ? 1 : 1 + random.nextInt(others.size())));
        if (id == MessageId.MEM_SHARE != one(25)) {
            named.add(random.nextInt(named.size() + 1), caller);
        }
        List<AclEntry> acl = new ArrayList<>();
        for (Vm vm : named) {
            int rights = donate && !one(15) ? 7 : one(40) ? random.nextInt(16) : 4 + random.nextInt(4);
            acl.add(new AclEntry(one(60) ? NOBODY : vm.vmid, rights));
            if (one(50)) {
                acl.add(new AclEntry(vm.vmid, rights));
            }
        }
        return one(60) ? List.of() : acl;
    }

    private List<Long> free(Vm vm) {
        return vm.owned().stream().flatMap(p -> ParcelModel.pages(p.ipa(), p.size()).stream())
                .filter(ipa -> !model.isInParcel(vm, ipa)).toList();
    }

    private List<MemRange> ranges(Vm caller) {
        List<Long> free = new ArrayList<>(free(caller));
        List<MemRange> ranges = new ArrayList<>();
        int count = one(40) ? 0 : 1 + random.nextInt(4);
        for (int i = 0; i < count; i++) {
            long pages = 1 + random.nextInt(3) / 2;
            long base = free.isEmpty() || one(20) ? pool.base() + random.nextInt(8) * 0x1000L : any(free);
            if (base == pool.base() + pool.size() - 0x1000) {
                // What lies behind is the primary VM's, too.
                pages = 1;
            }
            free.removeAll(ParcelModel.pages(base, pages * 0x1000));
            if (one(80)) {
                base += any(List.of(8L, 1L << 44, Long.MIN_VALUE));
            }
            ranges.add(new MemRange(base, one(80) ? pages * 0x1000 - 8 : pages * 0x1000));
        }
        return ranges;
    }

    private int handle(Collection<Parcel> wanted) {
        if (one(40)) {
            return one(2) ? NO_HANDLE : lastHandle;
        }
        List<Parcel> choice = wanted.isEmpty() || one(12) ? List.copyOf(model.parcels()) : List.copyOf(wanted);
        lastHandle = choice.isEmpty() ? NO_HANDLE : any(choice).handle;
        return lastHandle;
    }

    private Request append() {
        Vm caller = owner();
        List<Parcel> open = model.parcels().stream().filter(p -> !p.isComplete()).toList();
        if (!open.isEmpty() && !one(12)) {
            caller = any(open).owner;
        }
        Vm by = caller;
        return new Request(by, MessageId.MEM_APPEND, new ParcelAppend(
                handle(open.stream().filter(p -> p.owner == by).toList()), random.nextInt(3) / 2 ^ 1, ranges(by)));
    }

    private Request accept() {
        List<Vm> partial = vms.stream().filter(vm -> model.parcels().stream()
                .anyMatch(p -> p.isHeldBy(vm) && !p.isMappedBy(vm))).toList();
        Vm caller = any(partial.isEmpty() || one(2) ? vms : partial);
        List<Parcel> offered = model.parcels().stream().filter(p -> p.owner != caller && p.isComplete()
                && p.rights(caller.vmid).isPresent() && !p.isMappedBy(caller)).toList();
        int handle = handle(offered);
        Parcel parcel = model.parcels().stream().filter(p -> p.handle == handle).findFirst().orElse(null);
        if (parcel == null) {
            return new Request(caller, MessageId.MEM_ACCEPT,
                    new ParcelAccept(handle, 0, 1, ParcelAccept.DONE, 0, List.of(), List.of(), 0, List.of()));
        }
        boolean contiguous = parcel.isHeldBy(caller) ? parcel.isContiguousIn(caller) != one(10) : one(4);
        int flags = (one(3) ? 0 : ParcelAccept.DONE) | (contiguous ? ParcelAccept.CONTIGUOUS : 0)
                | (one(8) ? ParcelAccept.SANITISE_ON_RECLAIM : 0) | (one(8) ? ParcelAccept.VALIDATE_LABEL : 0)
                | (one(8) ? ParcelAccept.VALIDATE_ACL : 0) | (one(40) ? ParcelAccept.MAP_OTHER : 0)
                | (one(parcel.isSanitised() ? 4 : 20) ? ParcelAccept.VALIDATE_SANITISED : 0);
        List<AclEntry> acl = new ArrayList<>(one(12) ? List.of() : parcel.made.acl());
        if (one(12)) {
            Collections.reverse(acl);
        }
        List<MemAttribute> attributes = new ArrayList<>(parcel.made.attributes());
        Collections.reverse(attributes);
        if (one(20)) {
            attributes.add(new MemAttribute(3, caller.vmid));
        }
        return new Request(caller, MessageId.MEM_ACCEPT, new ParcelAccept(handle, one(50) ? 1 : 0,
                one(25) ? random.nextInt(4) : parcel.transfer.ordinal(), flags,
                one(12) ? random.nextInt(3) : parcel.made.label(), acl,
                places(caller, parcel.open(caller, contiguous)), one(60) ? caller.vmid : 0, attributes));
    }

    private List<MemRange> places(Vm caller, List<MemRange> open) {
        if (open.isEmpty() ? !one(15) : one(2)) {
            return List.of();
        }
        List<MemRange> places = new ArrayList<>();
        int count = one(20) ? open.size() + 1 : 1 + random.nextInt(open.size() + 1) * random.nextInt(2);
        long slot = random.nextInt(SLOT_COUNT);
        for (int i = 0; i < (one(3) ? count : Math.max(count, open.size())); i++) {
            MemRange range = i < open.size() ? open.get(i) : new MemRange(pool.base(), 0x1000);
            long base = caller.direct && !one(20) ? range.base() : SLOTS + slot * 0x1000;
            if (one(40)) {
                base = caller.owned().stream().findAny().map(Piece::ipa).orElse(Agent.IMAGE_IPA);
            }
            places.add(new MemRange(one(80) ? base + 16 : base, one(60) ? range.size() + 0x1000 : range.size()));
            slot += one(8) ? 0 : range.size() / 0x1000;
        }
        return places;
    }

    private Request release() {
        Vm caller = any(vms);
        return new Request(caller, MessageId.MEM_RELEASE, new ParcelReturn(
                handle(model.parcels().stream().filter(p -> p.isHeldBy(caller)).toList()), one(4) ? 1 : 0));
    }

    private Request reclaim() {
        Vm caller = any(vms);
        return new Request(caller, MessageId.MEM_RECLAIM, new ParcelReturn(
                handle(model.parcels().stream().filter(p -> p.owner == caller).toList()), one(4) ? 1 : 0));
    }

    private Request notification() {
        int flags = one(15) ? random.nextInt(16) : 1 << random.nextInt(4);
        boolean ofOwner = (flags & (ParcelNotify.SHARED | ParcelNotify.RECALL)) != 0;
        Vm caller = any(vms);
        List<Parcel> wanted = model.parcels().stream().filter(p -> ofOwner ? p.owner == caller
                : p.owner != caller && p.rights(caller.vmid).isPresent()
                        && p.isHeldBy(caller) == (flags == ParcelNotify.ACCEPTED)).toList();
        List<Integer> vmids = new ArrayList<>();
        while (ofOwner && !one(3)) {
            vmids.add(one(30) ? NOBODY : any(vms).vmid);
        }
        return new Request(caller, MessageId.MEM_NOTIFY,
                new ParcelNotify(handle(wanted), flags, one(5) ? 8 : 7, vmids));
    }
}
