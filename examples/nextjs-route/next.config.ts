// Both are left as they are: bundled, they would not find the browser's code and the worker's file.
export default { serverExternalPackages: ['whatsapp-web.js', 'wwebjs-persistent-session'] };
