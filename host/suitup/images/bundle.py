"""Modules of the updater that are always used together become one, when they are compiled for a board.

Each import on a board is a walk through directories and a table of names that most of the other modules have too; a
third of the time from power-on to a verified envelope went there. `join(home, sources)` gives one source with the
content of several modules, `redirect(...)` lets all others import from it what has moved.

What joins modules must not change what they mean, so a bundle is refused (ValueError) when two members have the same
public name, when a name hides a builtin, when a member comes before one it needs, or when a member is used as an object
instead of for its names. Private names that two members share are renamed. The sources stay as they are: they are what
`mpremote mip` and freezing install, and what the tests run."""

import ast
import builtins

# By its name with a u the firmware's own module is meant, and no file of that name is looked for: 3 ms on an RP2040.
BUILTIN = ("array", "binascii", "hashlib", "io", "struct")


def module(path):
    """The name of the module in file `path`, as in suit/crypto/__init__.py."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


class Names:
    """What the modules of the updater are called, and where their content went.

    `sources`: {module name: source}; `bundles`: {home: (members in order)}."""

    def __init__(self, sources, bundles):
        self.sources = sources
        self.bundles = {
            home: [member for member in members if member in sources] for home, members in bundles.items()
        }
        self.home = {member: home for home, members in self.bundles.items() for member in members}

    def absolute(self, node, module):
        """The module an ImportFrom node in `module` names, in full."""
        if not node.level:
            return node.module
        package = module.split(".")
        if not self.is_package(module):
            package = package[:-1]
        package = package[: len(package) - node.level + 1]
        return ".".join(package + ([node.module] if node.module else []))

    def is_package(self, module):
        return any(name.startswith(module + ".") for name in self.sources)


def join(home, names):
    """Source of the bundle `home`: the members after each other, with one set of names."""
    members = names.bundles[home]
    trees = {member: _prepared(names.sources[member]) for member in members}
    renamed = _renamed(trees)
    body, seen, done = [], set(), []
    for member in members:
        tree = _Joiner(member, home, names, renamed, done).visit(trees[member])
        for node in tree.body:
            # the same import in several members stands once
            text = ast.unparse(node)
            if isinstance(node, ast.Import | ast.ImportFrom) and text in seen:
                continue
            seen.add(text)
            if not isinstance(node, ast.Pass):
                body.append(text)
        done.append(member)
    return "\n".join(body) + "\n"


def redirect(module, names):
    """Source of a module outside the bundles, importing what has moved from where it is now."""
    tree = _Joiner(module, None, names, {}, ()).visit(ast.parse(names.sources[module]))
    return ast.unparse(tree) + "\n"


def _prepared(source):
    tree = ast.parse(source)
    if isinstance(tree.body[0], ast.Expr):
        del tree.body[0]  # the docstring
    return tree


def _defined(tree):
    """Names that a module makes itself: not those it imports."""
    found = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Try) and _is_const(node):
            continue
        elif not isinstance(node, ast.Import | ast.ImportFrom):
            for inner in ast.walk(node):
                if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                    found.add(inner.id)
                elif isinstance(inner, ast.FunctionDef | ast.ClassDef):
                    found.add(inner.name)
    return found


def _is_const(node):
    """`try: from micropython import const`, which the compiler does not need."""
    first = node.body[0]
    return isinstance(first, ast.ImportFrom) and first.module == "micropython"


def _renamed(trees):
    """{module: {name: new name}} for the private names that another member has too."""
    owner, renamed = {}, {}
    for member, tree in trees.items():
        renamed[member] = {}
        for name in sorted(_defined(tree)):
            if hasattr(builtins, name):
                raise ValueError(f"{member}.{name} hides a builtin")
            if name not in owner:
                owner[name] = member
            elif name.startswith("_"):
                renamed[member][name] = name + "_" + member.split(".")[-1]
            else:
                raise ValueError(f"{owner[name]} and {member} both have {name}")
    return renamed


class _Joiner(ast.NodeTransformer):
    """Rewrites the imports of a module, and the names that they or a conflict change."""

    def __init__(self, module, home, names, renamed, done):
        self.module, self.home, self.names = module, home, names
        self.renamed = renamed
        self.done = done  # members that stand before this one
        self.map = dict(renamed.get(module, {}))  # global name -> what it is called in the bundle
        self.modules = {}  # global name of a module of this bundle -> that module
        self.local = []  # names of the functions around

    # imports

    def visit_Import(self, node):
        for alias in node.names:
            if alias.name in BUILTIN:
                alias.asname = alias.asname or alias.name
                alias.name = "u" + alias.name
        return node

    def visit_Try(self, node):
        if _is_const(node):
            return ast.Pass()
        return self.generic_visit(node)

    def visit_ImportFrom(self, node):
        if not node.level and node.module.split(".")[0] != "suit":
            if node.module in BUILTIN:
                node.module = "u" + node.module
            return ast.Pass() if node.module == "micropython" and self.home else node
        target = self.names.absolute(node, self.module)
        made = []
        for alias in node.names:
            made += self._one(target, alias)
        return made or ast.Pass()

    def _one(self, target, alias):
        """What becomes of `from target import alias`."""
        local = alias.asname or alias.name
        whole = target + "." + alias.name
        if whole in self.names.sources:
            home = self.names.home.get(whole)
            if home is None or home == whole != self.home:
                return [_from(target, alias.name, local)]
            if home != self.home:
                package, _, name = home.rpartition(".")
                return [_from(package, name, local)]
            self._before(whole)
            self.modules[local] = whole
            return []
        home = self.names.home.get(target)
        if home is None or home != self.home:
            return [_from(home or target, alias.name, local)]
        self._before(target)
        name = self.renamed[target].get(alias.name, alias.name)
        if self.local:
            # inside a function, where the name may be needed as a local one
            return [_assign(local, name)] if local != name else []
        if local != name:
            self.map[local] = name
        return []

    def _before(self, member):
        if not self.local and member not in self.done:
            raise ValueError(f"{self.module} needs {member} before it")

    # numbers

    def visit_Constant(self, node):
        """A .mpy holds a long integer in decimal, to be computed from its digits when it is loaded."""
        if type(node.value) is not int or node.value < 1 << 62 or self.local:
            return node
        raw = node.value.to_bytes((node.value.bit_length() + 7) // 8, "big")
        return ast.parse(f"int.from_bytes({raw!r}, 'big')", mode="eval").body

    # names

    def _is_local(self, name):
        return any(name in names for names in self.local)

    def visit_Name(self, node):
        if self._is_local(node.id):
            return node
        if node.id in self.modules:
            raise ValueError(f"{self.module} uses the module {node.id} as an object")
        node.id = self.map.get(node.id, node.id)
        return node

    def visit_Attribute(self, node):
        if isinstance(node.value, ast.Name) and not self._is_local(node.value.id):
            member = self.modules.get(node.value.id)
            if member:
                if not isinstance(node.ctx, ast.Load):
                    raise ValueError(f"{self.module} sets {node.value.id}.{node.attr}")
                name = self.renamed[member].get(node.attr, node.attr)
                if self._is_local(name):
                    raise ValueError(f"{self.module} has its own {name}")
                return ast.copy_location(ast.Name(name, node.ctx), node)
        return self.generic_visit(node)

    def visit_Global(self, node):
        node.names = [self.map.get(name, name) for name in node.names]
        return node

    def visit_FunctionDef(self, node):
        node.decorator_list = [self.visit(each) for each in node.decorator_list]
        native = any("asm_" in ast.unparse(each) for each in node.decorator_list)
        if not self.local and not self.in_class:
            node.name = self.map.get(node.name, node.name)
        if native:
            return node  # its names are registers and instructions
        node.args.defaults = [self.visit(each) for each in node.args.defaults]
        self.local.append(_locals(node))
        node.body = self._block(node.body)
        self.local.pop()
        return node

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node):
        self.local.append({each.arg for each in node.args.args})
        node.body = self.visit(node.body)
        self.local.pop()
        return node

    in_class = False

    def visit_ClassDef(self, node):
        if not self.local and not self.in_class:
            node.name = self.map.get(node.name, node.name)
        node.bases = [self.visit(each) for each in node.bases]
        outer, self.in_class = self.in_class, True
        self.local.append(_bound(node.body))
        own = self.local[-1]
        body = []
        for each in node.body:
            if isinstance(each, ast.FunctionDef):
                # methods do not see the names of their class
                self.local.remove(own)
                body += _list(self.visit(each))
                self.local.append(own)
            else:
                body += _list(self.visit(each))
        node.body = body
        self.local.pop()
        self.in_class = outer
        return node

    def _block(self, statements):
        made = []
        for each in statements:
            made += _list(self.visit(each))
        return made or [ast.Pass()]


def _list(made):
    return made if isinstance(made, list) else [made] if made is not None else []


def _from(module, name, local):
    return ast.ImportFrom(module, [ast.alias(name, local if local != name else None)], 0)


def _assign(local, name):
    return ast.fix_missing_locations(
        ast.Assign([ast.Name(local, ast.Store())], ast.Name(name, ast.Load()), lineno=0)
    )


def _bound(statements):
    """Names that statements bind in their own scope."""
    found = set()
    stack = list(statements)
    while stack:
        node = stack.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
            continue
        if isinstance(node, ast.Lambda):
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
            found.add(node.id)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            found.add(node.name)
        elif isinstance(node, ast.Import):
            found |= {(a.asname or a.name).split(".")[0] for a in node.names}
        stack += ast.iter_child_nodes(node)
    return found


def _locals(node):
    arguments = node.args
    every = arguments.posonlyargs + arguments.args + arguments.kwonlyargs
    every += [each for each in (arguments.vararg, arguments.kwarg) if each]
    declared = {
        name for inner in ast.walk(node) if isinstance(inner, ast.Global | ast.Nonlocal) for name in inner.names
    }
    return ({each.arg for each in every} | _bound(node.body)) - declared
