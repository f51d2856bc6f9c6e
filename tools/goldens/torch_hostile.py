"""Hostile files of torch.save, for torch_cases.py: (name, file or pickle, part of our message)."""
import struct
import warnings
import zipfile

from torch_pickles import (DATA, GOOD, GOOD_LEGACY, MAGIC, MARK, PAYLOAD, PERSID, PROTO, REDUCE, STOP,
                           SYSTEM, glob, legacy, number, patched, pickled, short, state, storage,
                           tensor, text, tuple_of, zipped)


def evil(module="os", name="system"):
    return glob(module, name) + tuple_of(text(PAYLOAD)) + REDUCE


# The modules that scanners of pickles have missed, one function of each.
FUNCTIONS = """os.system posix.system nt.system subprocess.Popen subprocess.check_output pty.spawn
runpy._run_code runpy.run_path ctypes.CDLL cProfile.run cProfile.runctx profile.Profile.run
pydoc.pipepager pydoc.locate importlib.import_module code.InteractiveInterpreter.runcode
multiprocessing.util.spawnv_passfds uuid._get_command_stdout _aix_support._read_cmd_output
_osx_support._read_output operator.attrgetter _operator.methodcaller operator.methodcaller
distutils.file_util.write_file _io.FileIO io.open numpy.f2py.crackfortran.getlincoef
numpy.testing._private.utils.runstring asyncio.unix_events._UnixSubprocessTransport._start
imaplib.IMAP4_stream _pyrepl.pager.pipe_pager builtins.eval builtins.exec builtins.getattr
builtins.__import__ builtins.open builtins.compile builtins.print __builtin__.eval
__builtin__.execfile webbrowser.open socket.create_connection urllib.request.urlopen
http.client.HTTPSConnection shutil.rmtree shutil.copyfile types.CodeType types.FunctionType
functools.partial timeit.timeit bdb.Bdb.run doctest.debug_script ensurepip._run_pip trace.Trace
lib2to3.pgen2.pgen.ParserGenerator pip.main pip._internal.main venv.create commands.getoutput
idlelib.pyshell.ModifiedInterpreter idlelib.run.Executive.runcode torch.load torch.hub.load
torch.serialization.load torch.utils.collect_env.run torch._dynamo.guards.GuardBuilder.get
torch.fx.experimental.symbolic_shapes.ShapeEnv.evaluate_guards_expression
torch.jit.unsupported_tensor_ops.execWrapper torch._utils._rebuild_sparse_tensor
torch.storage._load_from_bytes torch.testing._internal.common_utils.run cloudpickle.loads
dill.loads joblib.load pickle.loads _pickle.loads marshal.loads logging.config.dictConfig
sqlite3.connect tempfile.mktemp pathlib.Path.write_text codecs.open _codecs.encode copyreg.__newobj__
collections.Counter site.main test.support.script_helper.assert_python_ok tkinter.Tcl
transformers.models.bert.modeling_bert.BertModel torch.nn.modules.linear.Linear __main__.Model
torch.ComplexFloatStorage torch.QInt8Storage torch.complex64""".split()


def hostile_globals():
    for function in FUNCTIONS:
        module, name = function.rsplit(".", 1)
        yield "calls " + function, zipped(pickled(state(text("w"), evil(module, name)))), name
    for i, (module, name) in enumerate((
            ("collections", "OrderedDict.__class__"), ("collections ", "OrderedDict"),
            ("collections", " OrderedDict"), ("collections.OrderedDict", ""),
            ("collections\r", "OrderedDict"), ("torch", "FloatStorage.__init__"),
            ("torch._utils", "_rebuild_tensor_v2.__globals__"), ("Torch", "FloatStorage"),
            ("torch", "_utils._rebuild_tensor_v2"), ("", "OrderedDict"), ("", ""),
            ("c\u043ellections", "OrderedDict"), ("collections\0", "OrderedDict"))):
        yield f"near name {i}", zipped(pickled(state(text("w"), evil(module, name)))), "names"
        yield (f"near name {i} by STACK_GLOBAL",
               zipped(pickled(short(module) + short(name) + b"\x93)R", b"\x80\x04")), "names")


def body_cases():
    """Pickles that are refused in a zip file. name, body, part of the message."""
    good = state(text("w"), tensor())
    yield "payload before the tensors", evil() + b"q\0" + good, "os.system"
    yield "payload in a list beside", state(text("w"), tensor(), text("x"), b"](" + evil() + b"e"), \
        "os.system"
    yield "payload behind a wrong opcode", good + b"0" + evil(), "POP"
    for name, code in (("INST", b"(ios\nsystem\n"), ("OBJ", MARK + glob("collections", "OrderedDict")
                       + b"o"), ("NEWOBJ", glob("collections", "OrderedDict") + b")\x81"),
                       ("NEWOBJ_EX", glob("collections", "OrderedDict") + b")}\x92"),
                       ("EXT1", b"\x82\x01"), ("EXT2", b"\x83\x01\0"), ("EXT4", b"\x84\x01\0\0\0"),
                       ("PERSID", b"P0\n"), ("POP", b"N0"), ("POP_MARK", b"(1"), ("DUP", b"N2"),
                       ("BYTEARRAY8", b"\x96" + bytes(8)), ("NEXT_BUFFER", b"\x97"),
                       ("READONLY_BUFFER", b"\x98"), ("GET", b"g0\n"), ("PUT", b"Np0\n"),
                       ("INT", b"I01\n"), ("LONG", b"L1L\n"), ("FLOAT", b"F1.0\n"),
                       ("STRING", b"S'x'\n"), ("UNICODE", b"Vx\n"), ("BINSTRING", b"T\1\0\0\0x"),
                       ("BINBYTES", b"B\1\0\0\0x"), ("SHORT_BINBYTES", b"C\1x"),
                       ("BINBYTES8", b"\x8e\1" + bytes(7) + b"x"), ("EMPTY_SET", b"\x8f"),
                       ("ADDITEMS", b"\x8f(N\x90"), ("FROZENSET", b"(\x91"), ("DICT", b"(d"),
                       ("LIST", b"(l"), ("LONG4", b"\x8b\1\0\0\0\1"), ("0xFF", b"\xff")):
        refused = name if name != "ADDITEMS" else "EMPTY_SET"
        yield "opcode " + name, state(text("w"), tensor(), text("x"), code), refused
    yield "opcode STACK_GLOBAL of numbers", number(1) + number(2) + b"\x93", "no string"
    yield "a name without an end", b"c" + b"collections", "without an end"
    yield "a call of a dictionary", b"})R", "no function"
    yield "a call of a string", text("os.system") + b")R", "no function"
    yield "a call of a storage class", glob("torch", "FloatStorage") + b")R", "is called"
    yield "a call without a tuple", glob("collections", "OrderedDict") + b"]R", "no function"
    yield "OrderedDict of a number", glob("collections", "OrderedDict") + number(1) + b"\x85R", "list"
    yield "OrderedDict of no pairs", (glob("collections", "OrderedDict") + b"](" + number(1)
                                      + b"e\x85R"), "pairs"
    yield "torch.Size of a list", glob("torch", "Size") + b"]\x85R", "tuple"
    yield "state of a tensor", tensor() + b"}b", "state"
    yield "state of a name", glob("collections", "OrderedDict") + b"}b", "state"
    yield "state of a list", b"]}b", "state"
    yield "item set in a tensor", tensor() + text("x") + b"Ns", "no dictionary"
    yield "item set in a list", b"]" + text("x") + b"Ns", "no dictionary"
    yield "items set in a name", glob("torch", "Size") + b"(NNu", "no dictionary"
    yield "an odd number of items", b"}(Nu", "no dictionary"
    yield "append to a dictionary", b"}Na", "no list"
    yield "append to a storage", storage() + b"(Ne", "no list"
    yield "empty stack", b"\x85", "stack"
    yield "tuple below a mark", b"NN(N\x86", "stack"
    yield "no mark", b"t", "mark"
    yield "two values at the end", b"NN", "more than one value"
    yield "a mark at the end", b"(N", "more than one value"
    yield "nothing at the end", b"", "more than one value"
    yield "memo without it", b"h\0", "memo"
    yield "memo far away", b"j\xff\xff\xff\xff", "memo"
    yield "memo put far away", b"Nr\xff\xff\xff\xff", "memo"
    yield "memo put of nothing", b"q\0", "stack"
    yield "a long string", text("x" * 70_000), "65536"
    yield "a string past the end", b"X\xff\xff\xff\x7f", "2147483647"
    yield "a string of 2**63", b"\x8d" + bytes(7) + b"\x80", "9223372036854775808"
    yield "a long integer", b"\x8a\x09" + bytes(9), "integer of 9"
    yield "many values", b"(" + b"N" * 1_000_001 + b"t", "1,000,000"
    yield "many references", b"Nq\0(" + b"h\0" * 1_000_001 + b"t", "1,000,000"
    yield "many marks", b"(" * 1_000_001, "1,000,000"
    yield "many items", b"](Nq\0e" + (b"(" + b"h\0" * 900_000 + b"e") * 5, "4,000,000"
    yield "root is a tensor", tensor(), "no dictionary"
    yield "root is a list", b"](" + tensor() + b"e", "no dictionary"
    yield "root is None", b"N", "no dictionary"
    yield "root is empty", b"}", "no tensors"
    yield "root holds itself", b"}q\0(" + text("a") + b"h\0u", "no tensors"
    yield "tensors two levels down", state(text("a"), state(text("b"), good)), "no tensors"
    yield "several dictionaries", state(text("a"), good, text("b"), good), "several"
    yield "several usual dictionaries", state(text("model"), good, text("state_dict"), good), "several"
    yield "a name twice", state(text("w"), tensor(), text("w"), tensor()), "twice"
    yield "a name that is a number", state(number(1), tensor()), "no name"
    yield "a long name", state(text("n" * 513), tensor()), "513"
    yield "10,001 tensors", state(text("w"), tensor() + b"q\0", *(
        text(f"n{i}") + b"h\0" for i in range(10_000))), "10000"
    of = storage
    for name, bad, part in (
            ("a storage of no tuple", text("x") + PERSID, "persistent id"),
            ("a storage of four items", tuple_of(text("storage"), glob("torch", "FloatStorage"),
                                                 text("0"), text("cpu")) + PERSID, "persistent id"),
            ("a legacy storage", of(legacy=True), "persistent id"),
            ("another persistent id", tuple_of(text("module"), glob("torch", "FloatStorage"), text(
                "0"), text("cpu"), number(4)) + PERSID, "persistent id"),
            ("a storage of a string type", tuple_of(text("storage"), text("FloatStorage"), text(
                "0"), text("cpu"), number(4)) + PERSID, "type"),
            ("a storage of another type", of(kind="float32"), "type"),
            ("a storage of a function", of(module="torch._utils", kind="_rebuild_tensor_v2"), "type"),
            ("a storage with a number as key", tuple_of(text("storage"), glob("torch", "FloatStorage"
                ), number(0), text("cpu"), number(4)) + PERSID, "key"),
            ("a storage with an empty key", of(key=""), "key"),
            ("a storage that is not there", of(key="1"), "missing"),
            ("a storage in another directory", of(key="../data/0"), "missing"),
            ("a storage that is too small", of(numel=5), "expected 20"),
            ("a storage that is too large", of(numel=3), "leaves"),
            ("a storage of another type's size", of(kind="DoubleStorage"), "expected 32"),
            ("a storage of -1", of(numel=-1), "-1"),
            ("a storage of 2**62", of(numel=1 << 62), "elements"),
            ("a tensor as storage", tensor(), "without a storage"),
            ("a dictionary as storage", b"}", "without a storage"),
            ("None as storage", b"N", "without a storage")):
        yield name, state(text("w"), tensor(of=bad)), part
    yield "a storage of three for four", state(text("w"), tensor(of(numel=3), size=(3,))), "expected 12"
    yield "a storage of two types", state(text("a"), tensor(), text("b"), tensor(
        of(kind="IntStorage"))), "two types"
    for name, arguments, part in (
            ("offset past the end", {"offset": 1}, "leaves"),
            ("offset of -1", {"offset": -1}, "-1"),
            ("offset of 2**62", {"offset": 1 << 62, "size": (1,)}, "leaves"),
            ("size past the end", {"size": (5,)}, "leaves"),
            ("size of -1", {"size": (-1,)}, "-1"),
            ("size of 2**63-1", {"size": ((1 << 63) - 1,)}, "leaves"),
            ("size overflows", {"size": (1 << 32, 1 << 32), "stride": (0, 0)}, "overflows"),
            ("size overflows in bytes", {"size": (1 << 62,), "stride": (0,)}, "leaves"),
            ("size overflows to 0", {"size": (1 << 32, 1 << 32), "stride": (1, 1)}, "overflows"),
            ("stride past the end", {"size": (2,), "stride": (4,)}, "leaves"),
            ("stride of -1", {"stride": (-1,)}, "-1"),
            ("stride overflows", {"size": (3,), "stride": (1 << 62,)}, "leaves"),
            ("no stride", {"stride": ()}, "strides"),
            ("65 dimensions", {"size": (1,) * 65, "stride": (1,) * 65}, "64"),
            ("expanded to 1 GiB", {"size": (1 << 28,), "stride": (0,)}, "far more")):
        yield "tensor: " + name, state(text("w"), tensor(**arguments)), part
    broken = glob("torch._utils", "_rebuild_tensor_v2")
    yield "tensor of nothing", state(text("w"), broken + b")R"), "0 arguments"
    yield "tensor of a size in floats", state(text("w"), broken + tuple_of(
        of(), number(0), tuple_of(b"G" + bytes(8)), tuple_of(number(1)), b"\x89", b"}") + REDUCE), \
        "no integer"
    yield "tensor of a size in a list", state(text("w"), broken + tuple_of(
        of(), number(0), b"](" + number(4) + b"e", tuple_of(number(1)), b"\x89", b"}") + REDUCE), "tuple"
    yield "tensor of a size with True", state(text("w"), broken + tuple_of(
        of(), number(0), tuple_of(b"\x88"), tuple_of(number(1)), b"\x89", b"}") + REDUCE), "no integer"
    yield "parameter of a dictionary", state(text("w"), glob("torch._utils", "_rebuild_parameter")
                                             + tuple_of(b"}", b"\x88", b"}") + REDUCE), "parameter"
    yield "v3 without a type", state(text("w"), tensor(
        of(module="torch.storage", kind="UntypedStorage", numel=16),
        function="_rebuild_tensor_v3", more=text("float32"))), "type"
    yield "v3 with a storage class as type", state(text("w"), tensor(
        of(module="torch.storage", kind="UntypedStorage", numel=16),
        function="_rebuild_tensor_v3", more=glob("torch", "FloatStorage"))), "type"


def hostile_streams():
    """Whole pickles in a zip file. name, pickle, part of the message."""
    for version in (0, 1, 5, 255):
        yield f"protocol {version}", b"\x80" + bytes([version]) + GOOD[2:], "protocol"
    yield "no PROTO", GOOD[2:], "PROTO"
    yield "text protocol", b"cos\nsystem\n(S'" + PAYLOAD.encode() + b"'\ntR.", "PROTO"
    yield "no STOP", GOOD[:-1], "ends too early"
    yield "empty pickle", b"", "ends too early"
    yield "PROTO twice", PROTO + GOOD, "0x80"
    good = state(text("w"), tensor())
    proto = b"\x80\x04\x95"
    yield "a frame past the end", proto + struct.pack("<Q", 1 << 40) + good + STOP, "early"
    yield "a frame of 2**64-1", proto + struct.pack("<Q", (1 << 64) - 1) + good + STOP, "early"
    yield "a frame that cuts an instruction", proto + struct.pack("<Q", 7) + good + STOP, "crosses"
    yield "a frame in a frame", (proto + struct.pack("<Q", 9 + len(good) + 1) + b"\x95" + struct.pack(
        "<Q", len(good) + 1) + good + STOP), "within a frame"
    yield "a frame longer than the pickle", (proto + struct.pack("<Q", len(good) + 9) + good + STOP
                                             + b"N" * 8), "within a frame"


def hostile_zips():
    """name, file, part of the message."""
    good = zipped(GOOD)
    central = good.rindex(b"PK\x01\x02", 0, good.index(b"PK\x01\x02") + 4)
    end = good.rindex(b"PK\x05\x06")

    def change(at, new, file=good):
        return file[:at] + new + file[at + len(new):]

    size, offset = struct.unpack_from("<II", good, end + 12)
    yield "zip: encrypted", change(central + 8, b"\x01\x00"), "encrypted"
    yield "zip: strongly encrypted", change(central + 8, b"\x41\x00"), "encrypted"
    yield "zip: encrypted in the local header only", change(6, b"\x01\x00"), "contradicts"
    for method in (1, 9, 12, 14, 93, 95, 99):
        yield f"zip: method {method}", change(central + 10, struct.pack("<H", method)), "compressed by"
    yield "zip: local method differs", change(8, b"\x08\x00"), "contradicts"
    yield "zip: local name differs", patched(good, b"archive/data.pkl", b"archive/DATA.pkl"), \
        "contradicts"
    yield "zip: local name is longer", change(26, struct.pack("<H", 17)), "contradicts"
    yield "zip: crc", change(central + 16, b"\0\0\0\0"), "checksum"
    yield "zip: sizes differ", change(central + 24, struct.pack("<I", 5)), "two sizes"
    yield "zip: past the directory", change(central + 20, struct.pack("<II", 1 << 20, 1 << 20)), "leaves"
    yield "zip: size of 2**32-1 without zip64", change(central + 20, b"\xff" * 8), "64-bit"
    yield "zip: local header past the end", change(central + 42, b"\xfe\xff\xff\x7f"), "cut off"
    yield "zip: local header is no header", change(central + 42, struct.pack("<I", 1)), "contradicts"
    yield "zip: a byte behind the end", good + b"\0", "end is missing"
    yield "zip: a byte before", b"PK\x03\x04" + good, "directory is not"
    yield "zip: a comment that is longer", change(end + 20, b"\x01\x00"), "end is missing"
    yield "zip: several parts", change(end + 4, b"\x01\x00"), "several parts"
    yield "zip: one file less", change(end + 8, b"\x02\0\x02\0"), "another size"
    yield "zip: one file more", change(end + 8, b"\x04\0\x04\0"), "directory is damaged"
    yield "zip: directory elsewhere", change(end + 16, struct.pack("<I", offset - 1)), "directory is not"
    yield "zip: directory larger", change(end + 12, struct.pack("<I", size + 1)), "directory is not"
    yield "zip: name past the directory", change(central + 28, b"\xff\xff"), "directory is damaged"
    locator = b"PK\x06\x07" + bytes(4) + struct.pack("<QI", 0, 1)
    yield "zip: zip64 end elsewhere", good[:end] + locator + good[end:], "64-bit end"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield "zip: data.pkl twice", zipped(GOOD, extra=[("archive/data.pkl", GOOD)]), "twice"
        yield "zip: storage twice", zipped(GOOD, extra=[("archive/data/0", DATA)]), "twice"
    yield "zip: two data.pkl", zipped(GOOD, extra=[("other/data.pkl", GOOD)]), "several files data.pkl"
    first = good.index(b"PK\x03\x04", 4)  # of data/0
    over = zipped(GOOD, extra=[("junk", good[first:good.index(b"PK\x03\x04", first + 4)])])
    entry = over.index(b"PK\x01\x02", over.index(b"PK\x01\x02") + 4)
    inner = over.index(b"PK\x03\x04", over.index(b"junk"))
    yield "zip: files over each other", change(entry + 42, struct.pack("<I", inner), over), "over each"
    yield "zip: TorchScript", zipped(GOOD, extra=[("archive/constants.pkl", GOOD)]), "TorchScript"
    yield "zip: TorchScript code", zipped(GOOD, extra=[("archive/code/m.py", "x")]), "TorchScript"
    yield "zip: big-endian", zipped(GOOD, extra=[("archive/byteorder", "big")]), "byteorder"
    yield "zip: byteorder of a mebibyte", zipped(GOOD, extra=[("archive/byteorder", "x" * (1 << 20))]), \
        "at most 64"
    yield "zip: npz", zipped(None, [], extra=[("a.npy", "x")]), "npz"
    yield "zip: Keras", zipped(None, [], extra=[("model.weights.h5", "x")]), "Keras"
    yield "zip: Word", zipped(None, [], extra=[("[Content_Types].xml", "x")]), "office"
    yield "zip: Java", zipped(None, [], extra=[("META-INF/MANIFEST.MF", "x")]), "Java"
    yield "zip: something else", zipped(None, [], extra=[("a.txt", "x")]), "something else"
    yield "zip: empty", b"PK\x05\x06" + bytes(18), "begins neither"
    yield "zip: signature only", b"PK\x03\x04", "cut off"
    deflated = zipped(GOOD, method=zipfile.ZIP_DEFLATED)
    first = deflated.index(b"PK\x01\x02")
    true_size, = struct.unpack_from("<I", deflated, first + 24)
    for wrong in (true_size - 1, true_size + 1):
        yield f"zip: inflates to another size ({wrong - true_size:+})", change(
            first + 24, struct.pack("<I", wrong), deflated), "not of its size"
    yield "zip: damaged deflate", change(60, b"\xff\xff\xff", deflated), "damaged"
    numel = 8 << 20
    bomb = pickled(state(text("w"), tensor(storage(numel=numel), size=(numel,))))
    yield "zip: bomb", zipped(bomb, [("data/0", bytes(4 * numel))], method=zipfile.ZIP_DEFLATED), \
        "times as many"
    yield "zip: bomb of a pickle", zipped(b"N" * (65 << 20), method=zipfile.ZIP_DEFLATED), "at most"


def hostile_legacy():
    """name, file, part of the message."""
    yield "legacy: magic computed", b"\x80\x02" + evil() + b"." + legacy(GOOD_LEGACY, magic=b""), \
        "begins neither"
    yield "legacy: another magic", legacy(GOOD_LEGACY, magic=patched(MAGIC, b"\x6c", b"\x6d")), "neither"
    yield "legacy: version 1000", legacy(GOOD_LEGACY, version=pickled(b"M\xe8\x03")), "1001"
    yield "legacy: version as text", legacy(GOOD_LEGACY, version=pickled(text("1001"))), "1001"
    yield "legacy: version calls", legacy(GOOD_LEGACY, version=pickled(evil())), "numbers are expected"
    yield "legacy: big-endian", legacy(GOOD_LEGACY, system=patched(SYSTEM, b"\x88", b"\x89")), \
        "big-endian"
    yield "legacy: sys_info calls", legacy(GOOD_LEGACY, system=pickled(evil())), "numbers are expected"
    yield "legacy: sys_info is a list", legacy(GOOD_LEGACY, system=pickled(b"]")), "sys_info"
    yield "legacy: sys_info is empty", legacy(GOOD_LEGACY, system=pickled(b"}")), "little_endian"
    yield "legacy: sys_info has a storage", legacy(GOOD_LEGACY, system=pickled(
        storage(legacy=True))), "numbers are expected"
    yield "legacy: calls", legacy(pickled(state(text("w"), evil()))), "os.system"
    yield "legacy: a zip's storage", legacy(GOOD), "persistent id"
    yield "legacy: no keys", legacy(GOOD_LEGACY, keys=()), "missing"
    yield "legacy: another key", legacy(GOOD_LEGACY, keys=("1",)), "no tensor"
    yield "legacy: a key twice", legacy(GOOD_LEGACY, keys=("0", "0")), "twice"
    yield "legacy: a key more", legacy(GOOD_LEGACY, keys=("0", "1")), "no tensor"
    yield "legacy: fewer elements", legacy(GOOD_LEGACY, data=struct.pack("<q", 3) + DATA), "3 elements"
    yield "legacy: more elements", legacy(GOOD_LEGACY, data=struct.pack("<q", 5) + DATA * 2), "5 elements"
    yield "legacy: -1 elements", legacy(GOOD_LEGACY, data=struct.pack("<q", -1) + DATA), "elements"
    yield "legacy: a byte more", legacy(GOOD_LEGACY, data=struct.pack("<q", 4) + DATA + b"x"), "follow"
    yield "legacy: a byte less", legacy(GOOD_LEGACY, data=struct.pack("<q", 4) + DATA[:-1]), "ends within"
    yield "legacy: no data", legacy(GOOD_LEGACY, data=b""), "ends within"
    for name, view, part in (("leaves", tuple_of(text("v"), number(2), number(3)), "leaves"),
                             ("of -1", tuple_of(text("v"), number(-1), number(1)), "-1"),
                             ("overflows", tuple_of(text("v"), number(1), number((1 << 63) - 1)), "leaves"),
                             ("of two items", tuple_of(text("v"), number(0)), "view"),
                             ("of text", text("v"), "view")):
        yield "legacy: a view " + name, legacy(pickled(state(text("w"), tensor(
            storage(legacy=True, view=view), size=(1,))))), part
    yield "legacy: a tensor leaves its view", legacy(pickled(state(text("w"), tensor(
        storage(legacy=True, view=tuple_of(text("v"), number(2), number(2))), size=(3,))))), "leaves"


def hostile():
    yield from hostile_globals()
    for name, body, part in body_cases():
        yield name, zipped(pickled(body)), part
    for name, pickle, part in hostile_streams():
        yield name, zipped(pickle), part
    yield from hostile_zips()
    yield from hostile_legacy()
