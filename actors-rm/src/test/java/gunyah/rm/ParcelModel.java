package gunyah.rm;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.rm.rpc.AclEntry;
import gunyah.rm.rpc.MemAttribute;
import gunyah.rm.rpc.MemRange;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.ParcelAccept;
import gunyah.rm.rpc.ParcelAppend;
import gunyah.rm.rpc.ParcelCreate;
import gunyah.rm.rpc.ParcelEvent;
import gunyah.rm.rpc.ParcelNotify;
import gunyah.rm.rpc.ParcelRecall;
import gunyah.rm.rpc.ParcelReturn;
import gunyah.rm.rpc.ParcelShared;
import gunyah.rm.rpc.ParcelTransfer;
import gunyah.rm.rpc.Payload;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.WireReader;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;

/**
 * What the rules of memory parcels say about some pages and VMs: who owns, lends and borrows what, where each VM has a
 * page with which rights, and what it holds. It knows nothing of how the Resource Manager does it.
 */
final class ParcelModel {
    static final int PAGE = 0x1000;
    private static final long ADDRESSES = 1L << 44;
    private static final int FULL = 7;

    /** Memory that is contiguous both ways. */
    record Piece(long base, long size, long ipa) {
        long end() {
            return ipa + size;
        }

        Piece part(long from, long to) {
            return new Piece(base + from - ipa, to - from, from);
        }
    }

    /** How a VM has a page. */
    record View(long page, int rights, boolean device) {
    }

    /** News for the primary VM. */
    record News(MessageId id, List<Byte> payload) {
        static News of(MessageId id, byte[] payload) {
            List<Byte> bytes = new ArrayList<>();
            for (byte b : payload) {
                bytes.add(b);
            }
            return new News(id, bytes);
        }
    }

    /** One VM. */
    static final class Vm {
        final int vmid;
        /** Whether it has all memory at its physical address. */
        final boolean direct;
        private final List<MemRange> before;
        private final TreeMap<Long, Piece> owned = new TreeMap<>();
        private final List<Parcel> accepted = new ArrayList<>();

        /** @param before what it has besides */
        Vm(int vmid, boolean direct, List<MemRange> before) {
            this.vmid = vmid;
            this.direct = direct;
            this.before = before;
        }

        /** {@return the VM as it was before the first parcel} */
        Vm anew() {
            return new Vm(vmid, direct, before);
        }

        Collection<Piece> owned() {
            return List.copyOf(owned.values());
        }

        // Pages of others are all that is free in a VM that has the whole memory.
        boolean isFree(MemRange range) {
            boolean taken = owned.values().stream().anyMatch(p -> overlaps(range, p.ipa(), p.size()))
                    || accepted.stream().flatMap(p -> p.held.get(vmid).ipas.stream())
                            .anyMatch(r -> overlaps(range, r.base(), r.size()))
                    || before.stream().anyMatch(r -> overlaps(range, r.base(), r.size()));
            return !taken && range.base() >= 0;
        }

        private Optional<Piece> piece(long ipa) {
            return Optional.ofNullable(owned.floorEntry(ipa)).map(Map.Entry::getValue).filter(p -> ipa < p.end());
        }

        private void remove(Piece part) {
            Piece whole = piece(part.ipa()).orElseThrow();
            owned.remove(whole.ipa());
            if (whole.ipa() < part.ipa()) {
                add(whole.part(whole.ipa(), part.ipa()));
            }
            if (part.end() < whole.end()) {
                add(whole.part(part.end(), whole.end()));
            }
        }

        private void add(Piece piece) {
            owned.put(piece.ipa(), piece);
        }
    }

    /** What a borrower has of a parcel. */
    private static final class Held {
        private final boolean contiguous;
        private final List<MemRange> ipas = new ArrayList<>();
        private boolean mapped;

        Held(boolean contiguous) {
            this.contiguous = contiguous;
        }

        private long reserved() {
            return ipas.stream().mapToLong(MemRange::size).sum();
        }
    }

    /** One parcel. */
    static final class Parcel {
        final int handle;
        final Vm owner;
        final ParcelTransfer transfer;
        final ParcelCreate made;
        private final List<Piece> pieces = new ArrayList<>();
        private final Map<Integer, Held> held = new LinkedHashMap<>();
        private boolean complete;
        private boolean sanitise;
        private boolean orphan;
        private OptionalInt tag = OptionalInt.empty();

        Parcel(int handle, Vm owner, ParcelTransfer transfer, ParcelCreate made) {
            this.handle = handle;
            this.owner = owner;
            this.transfer = transfer;
            this.made = made;
            this.complete = (made.flags() & ParcelCreate.MORE_FOLLOWS) == 0;
        }

        boolean isSanitised() {
            return (made.flags() & ParcelCreate.SANITISE) != 0;
        }

        /** {@return whether its owner has ended since: it goes with its last borrower} */
        boolean isOrphan() {
            return orphan;
        }

        boolean isComplete() {
            return complete;
        }

        boolean isContiguousIn(Vm vm) {
            return held.get(vm.vmid).contiguous;
        }

        boolean isHeldBy(Vm vm) {
            return held.containsKey(vm.vmid);
        }

        boolean isMappedBy(Vm vm) {
            return isHeldBy(vm) && held.get(vm.vmid).mapped;
        }

        OptionalInt rights(int vmid) {
            return made.acl().stream().filter(e -> e.vmid() == vmid).mapToInt(AclEntry::rights).findFirst();
        }

        /** {@return the ranges that have no address in this VM yet, at the addresses a direct VM must use} */
        List<MemRange> open(Vm vm, boolean contiguous) {
            int known = isHeldBy(vm) ? held.get(vm.vmid).ipas.size() : 0;
            List<MemRange> all = contiguous ? List.of(new MemRange(pieces.getFirst().base(), size()))
                    : pieces.stream().map(p -> new MemRange(p.base(), p.size())).toList();
            return all.subList(Math.min(known, all.size()), all.size());
        }

        private long size() {
            return pieces.stream().mapToLong(Piece::size).sum();
        }

        private boolean isDevice(int vmid) {
            return made.attributes().stream()
                    .anyMatch(a -> a.vmid() == vmid && a.attribute() == MemAttribute.DEVICE);
        }

        // The pieces where this VM has, or will have, them.
        private List<Piece> placed(Vm vm) {
            Held mine = held.get(vm.vmid);
            List<Piece> placed = new ArrayList<>();
            long at = mine.ipas.getFirst().base();
            for (Piece piece : pieces) {
                long ipa = mine.contiguous ? at : mine.ipas.get(placed.size()).base();
                placed.add(new Piece(piece.base(), piece.size(), ipa));
                at += piece.size();
            }
            return placed;
        }
    }

    /** The rules that a request breaks. */
    private static final class Broken {
        private final Set<RmError> errors = EnumSet.noneOf(RmError.class);

        private void unless(boolean kept, RmError error) {
            if (!kept) {
                errors.add(error);
            }
        }
    }

    private final List<Vm> vms;
    private final Map<Integer, Parcel> parcels = new TreeMap<>();
    private final Map<Long, Long> contents = new HashMap<>();
    private final List<News> news = new ArrayList<>();

    /** @param vms the primary VM first, which owns all of {@code pool} */
    ParcelModel(List<Vm> vms, MemRange pool) {
        this.vms = vms;
        vms.getFirst().add(new Piece(pool.base(), pool.size(), pool.base()));
    }

    Collection<Parcel> parcels() {
        return List.copyOf(parcels.values());
    }

    List<News> news() {
        return List.copyOf(news);
    }

    long content(long page) {
        return contents.getOrDefault(page, 0L);
    }

    void wrote(long page, long value) {
        contents.put(page, value);
    }

    /** {@return where a VM has which pages} */
    Map<Long, View> views(Vm vm) {
        Map<Long, View> views = new TreeMap<>();
        for (Piece piece : vm.owned()) {
            show(views, piece, FULL, false);
        }
        for (Parcel parcel : parcels.values()) {
            int rights = parcel.rights(vm.vmid).orElse(0);
            boolean device = parcel.isDevice(vm.vmid);
            if (parcel.owner == vm && parcel.orphan) {
                continue;
            }
            if (parcel.owner == vm && parcel.transfer == ParcelTransfer.SHARE) {
                parcel.pieces.forEach(piece -> show(views, piece, rights, device));
            } else if (parcel.owner == vm) {
                parcel.pieces.forEach(piece -> pages(piece.ipa(), piece.size()).forEach(views::remove));
            } else if (parcel.isMappedBy(vm)) {
                parcel.placed(vm).forEach(piece -> show(views, piece, rights, device));
            }
        }
        return views;
    }

    private static void show(Map<Long, View> views, Piece piece, int rights, boolean device) {
        pages(piece.ipa(), piece.size())
                .forEach(ipa -> views.put(ipa, new View(piece.base() + ipa - piece.ipa(), rights, device)));
    }

    /** {@return the errors that a request may be answered with; none: it must succeed} */
    Set<RmError> refusals(Vm caller, MessageId id, Payload payload) {
        Broken broken = new Broken();
        switch (payload) {
            case ParcelCreate create -> create(broken, caller, transfer(id), create);
            case ParcelAppend append -> append(broken, caller, append);
            case ParcelAccept accept -> accept(broken, caller, accept);
            case ParcelNotify notify -> notify(broken, caller, notify);
            case ParcelReturn back when id == MessageId.MEM_RELEASE -> release(broken, caller, back);
            case ParcelReturn back -> reclaim(broken, caller, back);
            default -> throw new IllegalArgumentException(id.name());
        }
        return broken.errors;
    }

    private static ParcelTransfer transfer(MessageId id) {
        return switch (id) {
            case MEM_DONATE -> ParcelTransfer.DONATE;
            case MEM_LEND -> ParcelTransfer.LEND;
            default -> ParcelTransfer.SHARE;
        };
    }

    private Optional<Parcel> find(Broken broken, int handle) {
        Optional<Parcel> parcel = Optional.ofNullable(parcels.get(handle));
        broken.unless(parcel.isPresent(), RmError.HANDLE_INVALID);
        return parcel;
    }

    private void create(Broken broken, Vm caller, ParcelTransfer transfer, ParcelCreate request) {
        List<Integer> named = request.acl().stream().map(AclEntry::vmid).toList();
        boolean normal = request.memType() == ParcelCreate.NORMAL;
        broken.unless(normal, RmError.ARGUMENT_INVALID);
        broken.unless(!named.isEmpty() && new HashSet<>(named).size() == named.size()
                && named.stream().allMatch(id -> vms.stream().anyMatch(vm -> vm.vmid == id)), RmError.ARGUMENT_INVALID);
        broken.unless(request.acl().stream().allMatch(e -> Set.of(4, 5, 6, 7).contains(e.rights())),
                RmError.ARGUMENT_INVALID);
        broken.unless(named.contains(caller.vmid) == (transfer == ParcelTransfer.SHARE), RmError.ARGUMENT_INVALID);
        if (transfer == ParcelTransfer.DONATE) {
            broken.unless(named.size() == 1, RmError.ARGUMENT_INVALID);
            broken.unless(request.acl().stream().allMatch(e -> e.rights() == FULL), RmError.DENIED);
        }
        List<Integer> typed = request.attributes().stream().map(MemAttribute::vmid).toList();
        broken.unless(new HashSet<>(typed).size() == typed.size()
                && request.attributes().stream().allMatch(a -> a.attribute() <= 3), RmError.ARGUMENT_INVALID);
        broken.unless(named.containsAll(typed), RmError.VMID_INVALID);
        ranges(broken, caller, request.ranges());
        // There is no device memory here.
        broken.unless(normal, RmError.MEM_INVALID);
    }

    private void ranges(Broken broken, Vm caller, List<MemRange> ranges) {
        boolean wellFormed = !ranges.isEmpty() && ranges.stream().allMatch(r -> r.base() % PAGE == 0
                && r.size() % PAGE == 0 && r.size() > 0 && r.base() >= 0 && r.base() + r.size() <= ADDRESSES);
        broken.unless(wellFormed, RmError.ARGUMENT_INVALID);
        if (wellFormed) {
            Set<Long> seen = new HashSet<>();
            broken.unless(ranges.stream().flatMap(r -> pages(r.base(), r.size()).stream()).allMatch(ipa ->
                    caller.piece(ipa).isPresent() && !isInParcel(caller, ipa) && seen.add(ipa)), RmError.MEM_INVALID);
        }
    }

    boolean isInParcel(Vm owner, long ipa) {
        return parcels.values().stream().filter(p -> p.owner == owner && !p.orphan).flatMap(p -> p.pieces.stream())
                .anyMatch(p -> ipa >= p.ipa() && ipa < p.end());
    }

    private void append(Broken broken, Vm caller, ParcelAppend request) {
        find(broken, request.handle()).ifPresent(parcel -> {
            boolean open = parcel.owner == caller && !parcel.complete;
            broken.unless(open, RmError.DENIED);
            if (open) {
                ranges(broken, caller, request.ranges());
            }
        });
    }

    private void accept(Broken broken, Vm caller, ParcelAccept request) {
        find(broken, request.handle()).ifPresent(parcel -> {
            broken.unless(request.memType() == 0 && request.transfer() == parcel.transfer.ordinal()
                    && request.mapVmid() == 0, RmError.ARGUMENT_INVALID);
            broken.unless(parcel.owner != caller && !parcel.isMappedBy(caller) && parcel.complete
                    && !parcel.orphan && !has(request, ParcelAccept.MAP_OTHER), RmError.DENIED);
            OptionalInt rights = parcel.rights(caller.vmid);
            broken.unless(rights.isPresent(), RmError.VMID_INVALID);
            broken.unless(!has(request, ParcelAccept.SANITISE_ON_RECLAIM) || rights.isEmpty()
                    || (rights.getAsInt() & AclEntry.W) != 0, RmError.ARGUMENT_INVALID);
            broken.unless((!has(request, ParcelAccept.VALIDATE_SANITISED) || parcel.isSanitised())
                    && (!has(request, ParcelAccept.VALIDATE_LABEL) || request.label() == parcel.made.label())
                    && (!has(request, ParcelAccept.VALIDATE_ACL) || request.acl().equals(parcel.made.acl())
                            && Set.copyOf(request.attributes()).equals(Set.copyOf(parcel.made.attributes()))),
                    RmError.VALIDATE_FAILED);
            broken.unless(!parcel.isHeldBy(caller)
                    || parcel.held.get(caller.vmid).contiguous == has(request, ParcelAccept.CONTIGUOUS),
                    RmError.ARGUMENT_INVALID);
            if (broken.errors.isEmpty()) {
                place(broken, caller, parcel, request);
            }
        });
    }

    private void place(Broken broken, Vm caller, Parcel parcel, ParcelAccept request) {
        boolean contiguous = has(request, ParcelAccept.CONTIGUOUS);
        List<MemRange> open = parcel.open(caller, contiguous);
        List<MemRange> given = request.ranges();
        broken.unless(given.size() <= open.size(), RmError.ARGUMENT_INVALID);
        boolean fits = true;
        for (int i = 0; i < Math.min(given.size(), open.size()); i++) {
            fits &= given.get(i).size() == open.get(i).size() && given.get(i).base() % PAGE == 0;
        }
        broken.unless(fits, RmError.ARGUMENT_INVALID);
        List<MemRange> wanted = given.isEmpty() ? open : given;
        if (!given.isEmpty() || caller.direct) {
            boolean free = true;
            for (int i = 0; i < wanted.size(); i++) {
                MemRange range = wanted.get(i);
                free &= caller.isFree(range)
                        && wanted.subList(0, i).stream().noneMatch(r -> overlaps(range, r.base(), r.size()));
            }
            broken.unless(free && !(caller.direct && fits && !open.subList(0, Math.min(wanted.size(), open.size()))
                    .equals(wanted)), RmError.NORESOURCE);
        }
        if (has(request, ParcelAccept.DONE)) {
            long reserved = parcel.isHeldBy(caller) ? parcel.held.get(caller.vmid).reserved() : 0;
            boolean whole = reserved + wanted.stream().mapToLong(MemRange::size).sum() == parcel.size();
            broken.unless(whole, RmError.ARGUMENT_INVALID);
            long base = parcel.pieces.getFirst().base();
            long at = base;
            boolean scattered = false;
            for (Piece piece : parcel.pieces) {
                scattered |= piece.base() != at;
                at += piece.size();
            }
            broken.unless(!(caller.direct && contiguous && scattered), RmError.NORESOURCE);
        }
    }

    private static boolean has(ParcelAccept request, int flag) {
        return (request.flags() & flag) != 0;
    }

    private void release(Broken broken, Vm caller, ParcelReturn request) {
        find(broken, request.handle()).ifPresent(parcel -> {
            OptionalInt rights = parcel.rights(caller.vmid);
            broken.unless(parcel.owner != caller, RmError.DENIED);
            broken.unless(rights.isPresent() || parcel.owner == caller, RmError.HANDLE_INVALID);
            broken.unless(rights.isEmpty() || parcel.owner == caller || parcel.isHeldBy(caller), RmError.MEM_RELEASED);
            broken.unless(request.flags() == 0 || rights.isEmpty() || !parcel.isHeldBy(caller)
                    || (rights.getAsInt() & AclEntry.W) != 0, RmError.ARGUMENT_INVALID);
        });
    }

    private void reclaim(Broken broken, Vm caller, ParcelReturn request) {
        find(broken, request.handle()).ifPresent(parcel -> {
            broken.unless(parcel.owner == caller, RmError.DENIED);
            broken.unless(parcel.owner != caller || parcel.held.isEmpty(), RmError.MEM_INUSE);
        });
    }

    private void notify(Broken broken, Vm caller, ParcelNotify request) {
        boolean ofOwner = request.flags() == ParcelNotify.SHARED || request.flags() == ParcelNotify.RECALL;
        boolean ofBorrower = request.flags() == ParcelNotify.RELEASED || request.flags() == ParcelNotify.ACCEPTED;
        find(broken, request.handle()).ifPresent(parcel -> {
            broken.unless(ofOwner || ofBorrower, RmError.ARGUMENT_INVALID);
            boolean tagged = parcel.tag.isEmpty() || parcel.tag.getAsInt() == request.tag();
            if (ofOwner) {
                broken.unless(parcel.owner == caller, RmError.DENIED);
                broken.unless(parcel.owner != caller || tagged && !request.vmids().isEmpty() && parcel.complete
                        && request.vmids().size() <= parcel.made.acl().size()
                        && request.vmids().stream().allMatch(vmid -> parcel.rights(vmid).isPresent()),
                        RmError.ARGUMENT_INVALID);
            } else if (ofBorrower) {
                boolean named = parcel.rights(caller.vmid).isPresent();
                broken.unless(named, RmError.VMID_INVALID);
                broken.unless(tagged || !named, RmError.ARGUMENT_INVALID);
                boolean releases = request.flags() == ParcelNotify.RELEASED;
                broken.unless(!named || parcel.isHeldBy(caller) != releases,
                        releases ? RmError.MEM_INUSE : RmError.MEM_RELEASED);
            }
        });
    }

    /** A request succeeded, and was answered so. */
    void done(Vm caller, MessageId id, Payload payload, byte[] body) {
        switch (payload) {
            case ParcelCreate create -> created(caller, transfer(id), create, new WireReader(body).u32());
            case ParcelAppend append -> {
                Parcel parcel = parcels.get(append.handle());
                take(parcel, append.ranges());
                parcel.complete = (append.flags() & ParcelAppend.LAST) != 0;
            }
            case ParcelAccept accept -> accepted(caller, parcels.get(accept.handle()), accept, new WireReader(body));
            case ParcelNotify notify -> told(caller, parcels.get(notify.handle()), notify);
            case ParcelReturn back when id == MessageId.MEM_RELEASE -> {
                Parcel parcel = parcels.get(back.handle());
                parcel.sanitise |= back.flags() != 0;
                caller.accepted.remove(parcel);
                released(caller, parcel);
            }
            case ParcelReturn back -> {
                Parcel parcel = parcels.remove(back.handle());
                if (parcel.sanitise || back.flags() != 0) {
                    zero(parcel.pieces);
                }
            }
            default -> throw new IllegalArgumentException(id.name());
        }
    }

    private void created(Vm caller, ParcelTransfer transfer, ParcelCreate request, int handle) {
        assertThat(parcels).as("a handle of its own").doesNotContainKey(handle);
        Parcel parcel = new Parcel(handle, caller, transfer, request);
        parcels.put(handle, parcel);
        take(parcel, request.ranges());
    }

    private void take(Parcel parcel, List<MemRange> ranges) {
        int before = parcel.pieces.size();
        for (MemRange range : ranges) {
            for (long at = range.base(); at < range.base() + range.size(); at = parcel.pieces.getLast().end()) {
                Piece piece = parcel.owner.piece(at).orElseThrow();
                parcel.pieces.add(piece.part(at, Math.min(piece.end(), range.base() + range.size())));
            }
        }
        if (parcel.isSanitised()) {
            zero(parcel.pieces.subList(before, parcel.pieces.size()));
        }
    }

    private void zero(List<Piece> pieces) {
        pieces.forEach(piece -> pages(piece.base(), piece.size()).forEach(contents::remove));
    }

    private void accepted(Vm caller, Parcel parcel, ParcelAccept request, WireReader body) {
        boolean contiguous = has(request, ParcelAccept.CONTIGUOUS);
        List<MemRange> open = parcel.open(caller, contiguous);
        List<MemRange> places = new ArrayList<>(request.ranges());
        int flags = 0;
        if (places.isEmpty()) {
            int count = body.u16();
            flags = body.u8();
            body.skip(1);
            assertThat(count).as("addresses reserved").isEqualTo(open.size());
            for (int i = 0; i < count; i++) {
                MemRange place = new MemRange(body.u64(), body.u64());
                assertThat(place.size()).isEqualTo(open.get(i).size());
                assertThat(place.base() % PAGE).isZero();
                assertThat(caller.isFree(place)).as("%s is free in VM %d", place, caller.vmid).isTrue();
                assertThat(!caller.direct || place.equals(open.get(i))).as("%s of VM %d", place, caller.vmid).isTrue();
                places.add(place);
            }
        }
        Held mine = parcel.held.computeIfAbsent(caller.vmid, vmid -> new Held(contiguous));
        mine.ipas.addAll(places);
        if (!caller.accepted.contains(parcel)) {
            caller.accepted.add(parcel);
        }
        assertThat(!request.ranges().isEmpty() || (flags & 1) == (mine.reserved() < parcel.size() ? 1 : 0))
                .as("incomplete").isTrue();
        parcel.sanitise |= has(request, ParcelAccept.SANITISE_ON_RECLAIM);
        mine.mapped = has(request, ParcelAccept.DONE);
        if (mine.mapped && parcel.transfer == ParcelTransfer.DONATE) {
            parcel.pieces.forEach(parcel.owner::remove);
            parcel.placed(caller).forEach(caller::add);
            caller.accepted.remove(parcel);
            parcels.remove(parcel.handle);
        }
    }

    private void released(Vm borrower, Parcel parcel) {
        parcel.held.remove(borrower.vmid);
        if (parcel.orphan && parcel.held.isEmpty()) {
            dissolve(parcel);
        }
    }

    /** All of it is the primary VM's, and zero. */
    private void dissolve(Parcel parcel) {
        parcels.remove(parcel.handle);
        parcel.pieces.forEach(this::inherit);
    }

    private void inherit(Piece piece) {
        zero(List.of(piece));
        vms.getFirst().add(new Piece(piece.base(), piece.size(), piece.base()));
    }

    /**
     * A guest was reset. It accepts nothing any more, and has nothing.
     *
     * @param others parcels of the primary VM that it had before the first of the model's, last accepted first
     */
    void ended(Vm vm, List<Integer> others) {
        for (Parcel parcel : vm.accepted.reversed()) {
            released(vm, parcel);
            tell(List.of(parcel.owner.vmid), MessageId.MEM_RELEASED,
                    new ParcelEvent(parcel.handle, vm.vmid, parcel.tag.orElse(0)));
        }
        vm.accepted.clear();
        others.forEach(handle -> tell(List.of(vms.getFirst().vmid), MessageId.MEM_RELEASED,
                new ParcelEvent(handle, vm.vmid, 0)));
        for (Parcel parcel : parcels()) {
            if (parcel.owner == vm && !parcel.orphan) {
                parcel.orphan = true;
                parcel.pieces.forEach(vm::remove);
                if (parcel.held.isEmpty()) {
                    dissolve(parcel);
                } else {
                    tell(List.copyOf(parcel.held.keySet()), MessageId.MEM_RECALL,
                            new ParcelRecall(parcel.handle, parcel.tag.orElse(0)));
                }
            }
        }
        vm.owned().forEach(this::inherit);
        vm.owned.clear();
    }

    private void told(Vm caller, Parcel parcel, ParcelNotify request) {
        switch (request.flags()) {
            case ParcelNotify.SHARED -> {
                parcel.tag = OptionalInt.of(request.tag());
                ParcelCreate made = parcel.made;
                tell(request.vmids(), MessageId.MEM_SHARED, new ParcelShared(parcel.handle, 0,
                        parcel.transfer.ordinal(), parcel.isSanitised() ? 1 : 0, caller.vmid, made.label(),
                        request.tag(), made.acl(), parcel.pieces.stream().map(Piece::size).toList(),
                        made.attributes()));
            }
            case ParcelNotify.RECALL -> tell(request.vmids(), MessageId.MEM_RECALL,
                    new ParcelRecall(parcel.handle, request.tag()));
            default -> tell(List.of(parcel.owner.vmid), request.flags() == ParcelNotify.RELEASED
                    ? MessageId.MEM_RELEASED : MessageId.MEM_ACCEPTED,
                    new ParcelEvent(parcel.handle, caller.vmid, request.tag()));
        }
    }

    private void tell(List<Integer> vmids, MessageId id, Payload payload) {
        vmids.stream().filter(vmid -> vmid == vms.getFirst().vmid)
                .forEach(vmid -> news.add(News.of(id, payload.encode())));
    }

    static List<Long> pages(long base, long size) {
        List<Long> pages = new ArrayList<>();
        for (long at = base; at < base + size; at += PAGE) {
            pages.add(at);
        }
        return pages;
    }

    private static boolean overlaps(MemRange range, long base, long size) {
        return range.base() < base + size && base < range.base() + range.size();
    }
}
